"""The idle limit fits the server by itself: `@@wait_timeout` less a margin, shown in the stats."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests import watched
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


def test_max_idle_wins_where_it_is_lower(make_pool: MakePool, waits: Callable[[int], None]) -> None:
    waits(28800)
    pool, default = make_pool(max_idle=2.5), make_pool()
    use(pool)
    use(default)
    assert pool.stats()["idle_limit"] == 2.5
    assert default.stats()["idle_limit"] == 600


def test_without_max_idle_the_server_alone_limits(
    server: Server, waits: Callable[[int], None]
) -> None:
    waits(28800)
    with forksafe.Pool(**server.connect_kwargs(), max_idle=None) as pool:
        use(pool)
        assert pool.stats()["idle_limit"] == 28800 - 60


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
