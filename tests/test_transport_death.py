"""Every transport death is 2006 (nothing was sent) or 2013 (it may have run), with its cause."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

import pytest

import forksafe
from scripts.throwaway import Throwaway
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
Open = Callable[..., forksafe.Connection]

# Dense, so that compressed they are about as long.
ROWS = "SELECT seq, UNHEX(CONCAT(SHA2(seq, 512), SHA2(-seq, 256))) FROM seq_1_to_20000"


@pytest.fixture(params=["tcp", "tls", "compress"])
def open_by_proxy(request: pytest.FixtureRequest, connect: Connect, proxy: FaultProxy) -> Open:
    """`open_by_proxy(**options)`: a connection through `proxy`: in clear, by TLS, compressed."""
    place = {"host": proxy.host, "port": proxy.port}
    return lambda **options: connect(request.param, **place, **options)


def ask(connection: forksafe.Connection, sql: str = "SELECT 'answer'") -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def assert_dies(
    connection: forksafe.Connection, sql: str = "SELECT 1", errnos: tuple[int, ...] = (2006, 2013)
) -> str:
    """`sql` fails with one of `errnos` and a cause; whatever follows is 2006."""
    with pytest.raises(forksafe.Error) as caught:
        ask(connection, sql)
    text = assert_is_a_death(caught.value, errnos)
    for use in (ask, forksafe.Connection.ping, forksafe.Connection.begin):
        with pytest.raises(forksafe.Error) as caught:
            use(connection)
        assert_is_a_death(caught.value, (2006,))
    assert not connection.probe()
    return text


def assert_is_a_death(error: forksafe.Error, errnos: tuple[int, ...]) -> str:
    assert type(error) is forksafe.OperationalError
    errno, text = error.args
    assert errno in errnos, text
    assert re.search(r"\(.{10,}\)$", text), f"no cause in {text!r}"
    return str(text)


@pytest.mark.parametrize("rest", [0, 0.15])
@pytest.mark.parametrize("fault", ["rst", "fin"])
def test_an_end_between_two_statements(
    open_by_proxy: Open, proxy: FaultProxy, fault: str, rest: float
) -> None:
    connection = open_by_proxy()
    ask(connection)
    getattr(proxy, fault)()
    time.sleep(rest)
    assert_dies(connection, errnos=(2006,) if rest else (2006, 2013))


def test_an_end_after_the_statement_was_sent(open_by_proxy: Open, proxy: FaultProxy) -> None:
    connection = open_by_proxy()
    ask(connection)
    proxy.swallow()
    assert_dies(connection, errnos=(2013,))


@pytest.mark.parametrize("cut", ["cut", "cut_rst"])
def test_an_end_in_the_middle_of_a_result(open_by_proxy: Open, proxy: FaultProxy, cut: str) -> None:
    for count in (1, 3, 4, 5, 100, 5000, 100_000, 1_500_000):
        proxy.pass_()
        connection = open_by_proxy()
        getattr(proxy, cut)(count)
        assert_dies(connection, ROWS, errnos=(2013,))


def test_an_end_between_two_answers(open_by_proxy: Open, proxy: FaultProxy) -> None:
    connection = open_by_proxy()
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT SLEEP(0.2); SELECT 3")
    assert cursor.fetchall() == ((1,),)
    proxy.fin()
    with pytest.raises(forksafe.OperationalError) as caught:
        cursor.nextset()
    assert_is_a_death(caught.value, (2006, 2013))


def test_an_end_in_a_transaction_does_not_pass_for_a_commit(
    open_by_proxy: Open, proxy: FaultProxy, connect: Connect, table: Callable[[str], str]
) -> None:
    connection, name = open_by_proxy(), table("id INT PRIMARY KEY")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {name} VALUES (1)")
    proxy.rst()
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.commit()
    assert_is_a_death(caught.value, (2006, 2013))
    assert ask(connect(), f"SELECT * FROM {name}") == ()


def test_a_statement_larger_than_the_buffers_of_a_dead_transport(
    open_by_proxy: Open, proxy: FaultProxy
) -> None:
    connection = open_by_proxy()
    ask(connection)
    proxy.rst()
    assert_dies(connection, f"SELECT LENGTH('{'x' * 8_000_000}')")


def test_silence_ends_at_read_timeout(open_by_proxy: Open, proxy: FaultProxy) -> None:
    connection = open_by_proxy(read_timeout=0.5)
    ask(connection)
    proxy.hang()
    began = time.monotonic()
    text = assert_dies(connection, errnos=(2013,))
    assert "timed out" in text
    assert 0.5 <= time.monotonic() - began < 3


def test_after_a_time_out_the_late_answer_is_nobodys(
    open_by_proxy: Open, proxy: FaultProxy
) -> None:
    connection = open_by_proxy(read_timeout=0.4)
    proxy.delay(700)
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT 'the first answer'")
    assert_is_a_death(caught.value, (2013,))
    time.sleep(0.6)  # now the answer is there
    for _ in range(3):
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT 'the second answer'")
        assert_is_a_death(caught.value, (2006,))
    connection.close()


def test_a_pool_does_not_keep_what_timed_out(
    make_pool: Callable[..., forksafe.Pool], proxy: FaultProxy
) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port, max_size=1, read_timeout=0.4)
    with pytest.raises(forksafe.OperationalError), pool.connection() as connection:
        ask(connection)
        proxy.delay(700)
        ask(connection, "SELECT 'the first answer'")
    proxy.pass_()
    time.sleep(0.6)
    with pool.connection() as connection:
        assert ask(connection, "SELECT 'the second answer'") == (("the second answer",),)
    assert pool.stats()["discards"]["broken"] == 1


def test_read_timeout_bounds_the_wait_for_one_packet_however_it_drips(
    open_by_proxy: Open, proxy: FaultProxy
) -> None:
    connection = open_by_proxy(read_timeout=0.4)
    proxy.slice(20)
    proxy.delay(50)
    began = time.monotonic()
    dense = "SELECT LEFT(GROUP_CONCAT(SHA2(seq, 512)), 2000) FROM seq_1_to_20"
    assert_dies(connection, dense, errnos=(2013,))
    assert time.monotonic() - began < 2


def test_write_timeout_bounds_the_sending(open_by_proxy: Open, proxy: FaultProxy) -> None:
    connection = open_by_proxy(write_timeout=0.4)
    proxy.hang()
    began = time.monotonic()
    dense = os.urandom(7_500_000).hex()
    assert_dies(connection, f"SELECT LENGTH('{dense}')", errnos=(2013,))
    assert time.monotonic() - began < 10


def test_a_server_killed_in_the_middle_of_a_query(
    connect: Connect, controlled_server: Throwaway, transport: str
) -> None:
    connection = connect(transport)
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT SLEEP(10)")
    controlled_server.kill()
    with pytest.raises(forksafe.OperationalError) as caught:
        cursor.nextset()
    assert_is_a_death(caught.value, (2013,))


@pytest.mark.parametrize("cut", ["cut", "cut_rst"])
def test_an_end_in_the_middle_of_a_log_in(open_by_proxy: Open, proxy: FaultProxy, cut: str) -> None:
    for count in (1, 4, 40, 80, 100, 120, 200, 800, 1500):
        getattr(proxy, cut)(count)
        try:
            connection = open_by_proxy()
        except forksafe.Error as error:
            assert_is_a_death(error, (2013,))
        else:
            assert_dies(connection, ROWS, errnos=(2013,))


def test_silence_at_log_in_ends_at_connect_timeout(open_by_proxy: Open, proxy: FaultProxy) -> None:
    proxy.hang()
    began = time.monotonic()
    with pytest.raises(forksafe.OperationalError) as caught:
        open_by_proxy(connect_timeout=0.3)
    assert "timed out" in assert_is_a_death(caught.value, (2013,))
    assert 0.3 <= time.monotonic() - began < 2
