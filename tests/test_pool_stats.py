"""A pool's statistics: psycopg_pool's fifteen, with its meanings, and our own; exact counts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.answers import wait_until

MakePool = Callable[..., forksafe.Pool]

PSYCOPG = {
    "pool_min",
    "pool_max",
    "pool_size",
    "pool_available",
    "requests_waiting",
    "requests_num",
    "requests_queued",
    "requests_wait_ms",
    "requests_errors",
    "usage_ms",
    "returns_bad",
    "connections_num",
    "connections_ms",
    "connections_errors",
    "connections_lost",
}
OURS = {
    "pid",
    "name",
    "closed",
    "suspended",
    "down_for",
    "in_use",
    "forks_noticed",
    "hand_offs",
    "timeouts",
    "pings",
    "ping_failures",
    "probe_failures",
    "discards",
    "leaks",
    "collected",
    "orphaned",
    "wait_time",
    "use_time",
    "leases",
    "idle_limit",
    "idle_limit_source",
    "last_connect_error",
}
REASONS = {
    "expired",
    "idle",
    "broken",
    "inherited",
    "closed",
    "read_only",
    "drained",
    "surplus",
}


def counts(stats: Any) -> dict[str, int]:
    """What is counted and is not zero, but for times."""
    gauges = {"pool_min", "pool_max", "pool_size", "pool_available", "requests_waiting", "pid"}
    return {
        name: value
        for name, value in stats.items()
        if type(value) is int and value and name not in gauges and not name.endswith("_ms")
    }


def test_there_are_these_keys_and_no_others(make_pool: MakePool) -> None:
    stats: Any = make_pool(name="shop").stats()
    assert set(stats) == PSYCOPG | OURS
    assert set(stats["discards"]) == REASONS
    assert set(stats["wait_time"]) == set(stats["use_time"]) == {"count", "p50", "p99", "max"}
    assert {type(stats[name]) for name in PSYCOPG} == {int}
    assert (stats["pid"], stats["name"], stats["closed"]) == (os.getpid(), "shop", False)
    assert (stats["suspended"], stats["down_for"], stats["leases"]) == (False, None, [])


def test_a_known_sequence_is_counted_exactly(make_pool: MakePool, server: Server) -> None:
    pool = make_pool(min_size=1, max_size=2, ping_after=0)
    pool.open()
    first, second = pool.connect(), pool.connect()
    stats = pool.stats()
    assert (stats["pool_min"], stats["pool_max"]) == (1, 2)
    assert (stats["pool_size"], stats["pool_available"], stats["in_use"]) == (2, 0, 2)
    with pytest.raises(forksafe.PoolTimeout):
        pool.connect(timeout=0.1)
    waiting = threading.Thread(target=lambda: pool.connect().close())
    waiting.start()
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    time.sleep(0.1)
    first.close()
    waiting.join(20)
    server.kill_session(second.thread_id())
    with pytest.raises(forksafe.OperationalError):
        second.ping()
    second.close()
    stats = pool.stats()
    assert (stats["pool_size"], stats["pool_available"], stats["in_use"]) == (1, 1, 0)
    assert counts(stats) == {
        "requests_num": 4,
        "requests_queued": 2,
        "requests_errors": 1,
        "returns_bad": 1,
        "connections_num": 2,
        "hand_offs": 1,
        "timeouts": 1,
        "pings": stats["pings"],
    }
    assert 1 <= stats["pings"] <= 2  # what is handed over has not rested
    assert stats["discards"]["broken"] == sum(stats["discards"].values()) == 1
    assert 200 <= stats["requests_wait_ms"] < 30_000
    assert 200 <= stats["usage_ms"] < 60_000
    assert 0 <= stats["connections_ms"] < 10_000
    assert (stats["wait_time"]["count"], stats["use_time"]["count"]) == (3, 3)
    assert stats["wait_time"]["p50"] <= stats["wait_time"]["p99"] <= stats["wait_time"]["max"]
    assert 0.1 <= stats["wait_time"]["max"] < 30
    assert 0.2 <= stats["use_time"]["max"] < 30


def test_connect_errors_are_counted_as_attempts_too(make_pool: MakePool) -> None:
    pool = make_pool(password="wrong")
    for _ in range(3):
        with pytest.raises(forksafe.OperationalError):
            pool.connect()
    stats = pool.stats()
    assert counts(stats) == {
        "requests_num": 3,
        "requests_errors": 3,
        "connections_num": 3,
        "connections_errors": 3,
    }
    assert "1045" in str(stats["last_connect_error"])
    assert stats["down_for"] is None  # the server is there


def test_a_server_that_is_away_is_told(make_pool: MakePool) -> None:
    pool = make_pool(port=1)
    with pytest.raises(forksafe.OperationalError):
        pool.connect()
    stats = pool.stats()
    assert stats["down_for"] is not None
    assert 0 <= stats["down_for"] < 10


def test_pop_stats_counts_from_zero_again_and_keeps_what_is(make_pool: MakePool) -> None:
    pool = make_pool(min_size=1, name="shop")
    held = pool.connect()
    pool.connect().close()
    before = pool.stats()
    popped = pool.pop_stats()
    assert counts(popped) == counts(before)
    assert popped["use_time"] == before["use_time"]
    after = pool.stats()
    assert counts(after) == {"in_use": 1}
    assert after["requests_wait_ms"] == after["usage_ms"] == after["connections_ms"] == 0
    assert after["use_time"]["count"] == after["wait_time"]["count"] == 0
    assert (after["pool_size"], after["pool_available"], after["name"]) == (2, 1, "shop")
    assert [lease["thread"] for lease in after["leases"]] == [threading.current_thread().name]
    held.close()
    assert pool.pop_stats()["use_time"]["count"] == 1


def test_a_child_counts_from_zero_but_knows_of_the_fork(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    pool = make_pool()
    held = [pool.connect(), pool.connect()]
    held.pop().close()

    def child() -> Any:
        pool.connect().close()
        return pool.pop_stats(), pool.stats()

    popped, after = in_child(child)
    assert popped["pid"] == after["pid"] != os.getpid()
    assert (popped["requests_num"], after["requests_num"]) == (1, 0)
    assert popped["forks_noticed"] == after["forks_noticed"] == 1
    assert popped["discards"]["inherited"] == after["discards"]["inherited"] == 2
    assert pool.stats()["requests_num"] == 2


@pytest.mark.parametrize(
    ("given", "wait_timeout", "limit", "source"),
    [
        ({}, 28_800, 600.0, "max_idle"),
        ({}, 100, 90.0, "wait_timeout"),
        ({"max_idle": 200}, 100, 200.0, "max_idle"),
        ({"max_idle": 50}, 100, 50.0, "max_idle"),
    ],
)
def test_the_idle_limit_is_told_with_its_source(
    make_pool: MakePool, given: Any, wait_timeout: int, limit: float, source: str
) -> None:
    pool = make_pool(init_command=f"SET wait_timeout = {wait_timeout}", **given)
    pool.connect().close()
    stats = pool.stats()
    assert (stats["idle_limit"], stats["idle_limit_source"]) == (limit, source)


def test_stats_are_cheap_enough_to_stay_on(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.connect().close()
    started = time.perf_counter()
    for _ in range(200):
        pool.stats()
    taken = (time.perf_counter() - started) / 200
    print(f"\nstats() takes {taken * 1e6:.1f} µs")
    assert taken < 0.01
