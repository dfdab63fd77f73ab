"""The idle limit fits the server by itself: `@@wait_timeout` less a margin, shown in the stats."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests import watched
from tests.fake_server import PASSWORD, Conversation, FakeServer, error
from tests.proxy import FaultProxy
from tests.watched import Witness

witness = watched.witness

MakePool = Callable[..., forksafe.Pool]


@pytest.fixture
def waits(server: Server) -> Iterator[Callable[[int], None]]:
    """`waits(seconds)`: sessions opened from now on are closed when idle for so long."""
    before = server.variable("wait_timeout")
    yield lambda seconds: set_wait_timeout(server, seconds)
    set_wait_timeout(server, int(before))


def set_wait_timeout(server: Server, seconds: int) -> None:
    server.execute_as_root(f"SET GLOBAL wait_timeout = {seconds}")


def use(pool: forksafe.Pool) -> int:
    with pool.connection() as connection:
        return connection.thread_id()


def told(pool: forksafe.Pool) -> tuple[Any, Any]:
    """The limit that the statistics tell, and where it comes from."""
    stats: Any = pool.stats()
    return stats["idle_limit"], stats["idle_limit_source"]


def version(cursor: forksafe.Cursor) -> str:
    cursor.execute("SELECT VERSION()")
    return str((cursor.fetchone() or ())[0])


@pytest.mark.parametrize(
    ("wait_timeout", "limit"), [(1, 0.5), (2, 1), (10, 9), (60, 54), (300, 270), (600, 540)]
)
def test_the_limit_is_below_what_the_server_waits(
    make_pool: MakePool, waits: Callable[[int], None], wait_timeout: int, limit: float
) -> None:
    waits(wait_timeout)
    pool = make_pool()
    use(pool)
    assert pool.stats()["idle_limit"] == pytest.approx(limit)


def test_the_default_is_no_more_than_ten_minutes(
    make_pool: MakePool, waits: Callable[[int], None]
) -> None:
    waits(28800)
    pool = make_pool()
    use(pool)
    assert told(pool) == (600, "max_idle")


@pytest.mark.parametrize("max_idle", [2.5, 3600, None])
def test_a_max_idle_that_is_given_is_taken_as_it_is(
    make_pool: MakePool, server: Server, waits: Callable[[int], None], max_idle: float | None
) -> None:
    waits(300)
    # A proxy that keeps sessions alive may know better than the server behind it.
    with forksafe.Pool(**server.connect_kwargs(), max_idle=max_idle) as pool:
        use(pool)
        assert told(pool) == (max_idle, "max_idle")


def test_a_session_that_changes_its_own_wait_timeout_is_followed(
    make_pool: MakePool, waits: Callable[[int], None], transport: str
) -> None:
    waits(300)
    pool = make_pool(transport, max_size=1)
    use(pool)
    assert told(pool) == (270, "wait_timeout")
    for statement, limit in (
        ("SET SESSION wait_timeout = 60", 54),
        ("SET @@wait_timeout = 100", 90),
        ("EXECUTE IMMEDIATE 'SET SESSION wait_timeout = 200'", 180),
        ("SET SESSION wait_timeout = 28800", 600),
    ):
        with pool.connection() as connection, connection.cursor() as cursor:
            if "IMMEDIATE" in statement and "MariaDB" not in version(cursor):
                continue
            cursor.execute(statement)
        assert told(pool)[0] == limit


def test_what_changes_no_wait_timeout_costs_nothing(make_pool: MakePool, proxy: FaultProxy) -> None:
    pool = make_pool(port=proxy.port, max_size=1, autocommit=True)
    for statement, asked in (
        ("SELECT @@wait_timeout", False),
        ("SET @x = 1", False),
        ("SET wait_timeout = 60", True),
        ("DO 1", False),
    ):
        connection = pool.connect()
        with connection.cursor() as cursor:
            cursor.execute(statement)
        before = proxy.stats()["up"]
        connection.close()
        assert (proxy.stats()["up"] > before) == asked, statement


@pytest.mark.parametrize("reset", ["rollback", "session", "none"])
def test_it_is_followed_whatever_the_reset(
    make_pool: MakePool, waits: Callable[[int], None], reset: str
) -> None:
    waits(300)
    pool = make_pool(max_size=1, reset=reset)
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("SET wait_timeout = 60")
    assert told(pool)[0] == (270 if reset == "session" else 54)


def test_the_limit_follows_a_server_that_changed_its_mind(
    make_pool: MakePool, waits: Callable[[int], None]
) -> None:
    waits(300)
    pool = make_pool()
    held = pool.connect()
    waits(60)
    use(pool)
    assert pool.stats()["idle_limit"] == 54
    held.close()


def test_what_rested_past_the_limit_is_closed_before_the_server_does(
    make_pool: MakePool, witness: Witness, waits: Callable[[int], None], transport: str
) -> None:
    waits(2)
    pool = make_pool(transport, ping_after=60)
    aborted = witness.aborted_clients()
    first = use(pool)
    time.sleep(1.1)
    second = use(pool)
    stats: Any = pool.stats()
    assert second != first
    assert stats["discards"] == {**dict.fromkeys(stats["discards"], 0), "idle": 1}
    assert (stats["connections_num"], stats["probe_failures"], stats["pings"]) == (2, 0, 0)
    pool.close()
    witness.wait_until_quiet()
    assert witness.aborted_clients() == aborted


def test_a_server_that_knows_fewer_variables_is_asked_for_less() -> None:
    class Lacking(Conversation):
        def _send(self, payload: bytes) -> None:
            refused = payload == b"\x02" and b"max_user_connections" in self.fake.statements[-1]
            super()._send(error(1193, "HY000", "Unknown system variable") if refused else payload)
            if refused:
                raise Refused

        def _answers(self) -> bool:
            with contextlib.suppress(Refused):
                super()._answers()
            return True

    with FakeServer(cached=True, speaks=Lacking) as fake:
        account: Any = {"host": "127.0.0.1", "port": fake.port, "user": "app"}
        with forksafe.Pool(**account, password=PASSWORD) as pool:
            use(pool)
            assert told(pool) == (600, "max_idle")
        assert b"SELECT @@wait_timeout, @@max_allowed_packet" in fake.statements


class Refused(Exception):
    """The rest of an answer is not sent."""


def test_the_limit_in_a_child_is_its_own_again(
    make_pool: MakePool, waits: Callable[[int], None], in_child: Callable[..., Any]
) -> None:
    waits(60)
    pool = make_pool()
    use(pool)

    def child() -> float | None:
        use(pool)
        pool.close()
        return pool.stats()["idle_limit"]

    waits(10)
    assert in_child(child) == 9
    assert pool.stats()["idle_limit"] == 54
