"""Several hosts: tried in turn, a dead one last for a while, each by its own name."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.certificates import make_certificates
from scripts.mariadb_server import Server
from tests.fake_server import PASSWORD, FakeServer
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


@pytest.fixture
def dead() -> Iterator[Callable[..., str]]:
    """`dead(address)`: a host with a port that nobody listens on, and nobody can take."""
    held: list[socket.socket] = []

    def make(address: str = "127.0.0.1") -> str:
        bound = socket.socket()
        bound.bind((address, 0))
        held.append(bound)
        return f"{address}:{bound.getsockname()[1]}"

    yield make
    for each in held:
        each.close()


def alive(server: Server) -> str:
    return f"{server.host}:{server.port}"


def where(connection: forksafe.Connection) -> str:
    """The host and the port that it says it talks to."""
    return connection.get_host_info().removesuffix(" via TCP/IP")


def use(pool: forksafe.Pool) -> str:
    """Where a connection goes to that is opened for this and closed."""
    with pool.connection() as connection:
        connection.ping()
        return where(connection)


def test_a_dead_first_host_leaves_the_second(
    connect: Connect, server: Server, dead: Callable[[], str]
) -> None:
    connection = connect(host=f"{dead()}, {alive(server)}")
    assert where(connection) == alive(server)
    assert repr(connection).endswith(f"to '{server.user}'@{alive(server)}>")
    connection.ping()


def test_hosts_without_a_port_of_their_own_have_the_option(
    connect: Connect, server: Server, dead: Callable[[], str]
) -> None:
    connection = connect(host=f"{dead()},localhost", port=server.port)
    assert where(connection) == f"localhost:{server.port}"


def test_a_url_names_several_hosts_too(server: Server, dead: Callable[[], str]) -> None:
    url = server.url()
    for several in (
        url.replace(server.host, f"127.0.0.1,{server.host}"),
        f"{url}&host={dead()},{alive(server)}",
    ):
        with forksafe.connect(several) as connection:
            assert where(connection) == alive(server)


def test_the_error_names_every_host_that_failed(
    connect: Connect, dead: Callable[[], str], proxy: FaultProxy
) -> None:
    refusing, mute = dead(), f"127.0.0.1:{proxy.port}"
    proxy.cut(0)
    with pytest.raises(forksafe.OperationalError) as caught:
        connect(host=f"{refusing},{mute}")
    number, text = caught.value.args
    assert number == 2003
    assert "none of the 2 hosts" in text
    assert f"'{refusing}' (Connection refused" in text
    assert f"{mute}: Lost connection" in text


def test_a_host_that_hangs_takes_only_its_share(
    connect: Connect, server: Server, proxy: FaultProxy
) -> None:
    proxy.hang()
    started = time.monotonic()
    connection = connect(host=f"127.0.0.1:{proxy.port},{alive(server)}", connect_timeout=2)
    assert where(connection) == alive(server)
    assert 0.5 < time.monotonic() - started < 30


def test_a_refused_log_in_is_the_answer_of_all(connect: Connect, server: Server) -> None:
    with FakeServer(cached=True) as fake:
        with pytest.raises(forksafe.OperationalError) as caught:
            connect(host=f"{alive(server)},127.0.0.1:{fake.port}", password="wrong")
        assert caught.value.args[0] == 1045
        assert not fake.conversations


def test_a_full_server_leaves_the_next(
    connect: Connect, server: Server, dead: Callable[[], str]
) -> None:
    account: dict[str, Any] = {
        "user": "few",
        "password": PASSWORD,
        "database": None,
        "get_server_public_key": True,
    }
    limit = f"few@'%' IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 1"
    server.execute_as_root(f"CREATE USER {limit}")
    try:
        with FakeServer(cached=True) as fake, connect(**account):
            with pytest.raises(forksafe.OperationalError) as caught:
                connect(host=f"{alive(server)},{dead()}", **account)
            assert caught.value.args[0] == 2003
            assert "max_user_connections" in caught.value.args[1]
            connection = connect(host=f"{alive(server)},127.0.0.1:{fake.port}", **account)
            assert where(connection) == f"127.0.0.1:{fake.port}"
            connection.close()
    finally:
        server.execute_as_root("DROP USER few@'%'")


def test_random_reaches_all_and_listed_the_first(make_pool: MakePool, server: Server) -> None:
    hosts = f"localhost:{server.port},{alive(server)}"
    for order, wanted in (("listed", 1), ("random", 2)):
        pool = make_pool(host=hosts, host_order=order, recycle=1e-6, max_size=1)
        assert len({use(pool) for _ in range(40)}) == wanted


def test_a_host_that_failed_is_left_alone_for_a_while(
    make_pool: MakePool, server: Server, proxy: FaultProxy
) -> None:
    first = f"127.0.0.1:{proxy.port}"
    pool = make_pool(host=f"{first},{alive(server)}", recycle=1e-6, max_size=1)
    assert use(pool) == first
    proxy.refuse()
    assert use(pool) == alive(server)
    proxy.pass_()
    before = proxy.stats()["total"]
    assert {use(pool) for _ in range(5)} == {alive(server)}
    assert proxy.stats()["total"] == before


def test_a_child_knows_which_host_failed(
    make_pool: MakePool, server: Server, proxy: FaultProxy, in_child: Callable[..., Any]
) -> None:
    pool = make_pool(host=f"127.0.0.1:{proxy.port},{alive(server)}", max_size=2)
    proxy.refuse()
    assert use(pool) == alive(server)
    proxy.pass_()
    before = proxy.stats()["total"]

    def child() -> str:
        try:
            return use(pool)
        finally:
            pool.close()

    assert in_child(child) == alive(server)
    assert proxy.stats()["total"] == before


def test_the_hosts_that_failed_are_tried_where_no_other_is_left(
    make_pool: MakePool, server: Server, proxy: FaultProxy, dead: Callable[[], str]
) -> None:
    back = f"127.0.0.1:{proxy.port}"
    pool = make_pool(host=f"{dead()},{back}", max_size=1)
    proxy.refuse()
    with pytest.raises(forksafe.OperationalError, match="none of the 2 hosts"):
        use(pool)
    proxy.pass_()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert use(pool) == back
            return
        except forksafe.OperationalError:  # the pool waits a little between attempts
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_tls_verifies_the_name_of_the_host_it_talks_to(
    connect: Connect, server: Server, dead: Callable[..., str], tmp_path: Path
) -> None:
    # The certificate is made out to 127.0.0.1 and localhost, and not to 127.0.0.2.
    if "tls" not in server.transports:
        pytest.skip("FORKSAFE_TEST_DSN offers no tls (give ssl_ca= in it)")
    elsewhere = dead("127.0.0.2")
    for good in (server.host, "localhost"):
        connection = connect("tls", host=f"{elsewhere},{good}:{server.port}")
        assert where(connection) == f"{good}:{server.port}"
    certificates = make_certificates(tmp_path)
    with FakeServer(cached=True, certificates=certificates, host="127.0.0.2") as fake:
        account: dict[str, Any] = {
            "user": "app",
            "password": PASSWORD,
            "ssl_ca": certificates.ca,
        }
        with pytest.raises(forksafe.OperationalError, match="not trusted") as caught:
            forksafe.connect(host=f"{dead()},127.0.0.2:{fake.port}", **account)
        assert caught.value.args[0] == 2026


def test_a_unix_socket_wins_over_hosts(
    connect: Connect, server: Server, dead: Callable[[], str]
) -> None:
    if not server.unix_socket:
        pytest.skip("FORKSAFE_TEST_DSN offers no socket (give unix_socket= in it)")
    connection = connect("socket", host=f"{dead()},{dead()}")
    assert connection.get_host_info() == f"Localhost via UNIX socket {server.unix_socket}"


@pytest.mark.parametrize("host", ["a,,b", "a,b:http", "a:0", "[::1"])
def test_what_names_no_host_is_refused(host: str) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="^.2000, 'host "):
        forksafe.connect(host=host)
    with pytest.raises(forksafe.ProgrammingError, match="^.2000, 'host "):
        forksafe.Pool(host=host)


def test_an_order_that_is_none_is_refused() -> None:
    wrong: Any = "last"
    with pytest.raises(forksafe.ProgrammingError, match="host_order must be.*last"):
        forksafe.Pool(host="a,b", host_order=wrong)
