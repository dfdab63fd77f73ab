"""What each option of a pool does, as a user sees it: a value, and a look at a pool that has it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import forksafe

SOON = 0.2  # seconds
HANG = 20.0  # seconds after which a test that waits has failed


class Effect(NamedTuple):
    """Options that a pool is made with, and what must then hold."""

    options: dict[str, Any]
    look: Callable[[forksafe.Pool], None]


def one(pool: forksafe.Pool, sql: str) -> Any:
    """Check out, ask, check in."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def session(pool: forksafe.Pool) -> int:
    """The session that is lent next."""
    with pool.connection() as connection:
        return connection.thread_id()


def _min_size(pool: forksafe.Pool) -> None:
    assert pool.stats()["pool_min"] == 2
    pool.open()
    assert pool.stats()["pool_available"] == 2


def _max_size(pool: forksafe.Pool) -> None:
    assert pool.stats()["pool_max"] == 2
    lent = [pool.connect(), pool.connect()]
    with pytest.raises(forksafe.PoolTimeout):
        pool.connect(timeout=0.01)
    for connection in lent:
        connection.close()


def _timeout(pool: forksafe.Pool) -> None:
    held = pool.connect()
    with pytest.raises(forksafe.PoolTimeout, match=r"no connection within 0\.2s"):
        pool.connect()
    held.close()


def _max_waiting(pool: forksafe.Pool) -> None:
    held = pool.connect()
    waiter = threading.Thread(target=session, args=(pool,))
    waiter.start()
    end = time.monotonic() + HANG
    while pool.stats()["requests_waiting"] == 0:
        assert time.monotonic() < end
        time.sleep(0.001)
    with pytest.raises(forksafe.TooManyRequests):
        pool.connect()
    held.close()
    waiter.join(HANG)


def _recycle(pool: forksafe.Pool) -> None:
    first = session(pool)
    time.sleep(SOON)
    assert session(pool) != first
    assert pool.stats()["discards"]["expired"] == 1


def _max_idle(pool: forksafe.Pool) -> None:
    session(pool)
    stats = pool.stats()
    assert (stats["idle_limit"], stats["idle_limit_source"]) == (SOON, "max_idle")
    time.sleep(SOON)
    session(pool)
    assert pool.stats()["discards"]["idle"] == 1


def _max_idle_none(pool: forksafe.Pool) -> None:
    session(pool)
    stats = pool.stats()
    assert (stats["idle_limit"], stats["idle_limit_source"]) == (None, "max_idle")


def _pings(expected: int) -> Callable[[forksafe.Pool], None]:
    def look(pool: forksafe.Pool) -> None:
        for _ in range(3):
            session(pool)
        assert pool.stats()["pings"] == expected

    return look


def _left(tenant: int | None) -> Callable[[forksafe.Pool], None]:
    def look(pool: forksafe.Pool) -> None:
        assert one(pool, "SELECT @tenant := 7") == 7
        assert one(pool, "SELECT @tenant") == tenant

    return look


def _leak_after(pool: forksafe.Pool) -> None:
    held = pool.connect()
    time.sleep(SOON)
    [lease] = pool.stats()["leases"]
    assert lease["leaked"]
    assert "pool_effects.py" in lease["where"]
    held.close()


def _name(pool: forksafe.Pool) -> None:
    assert (pool.name, pool.stats()["name"]) == ("orders", "orders")


#: Values that a URL can hold as well as a keyword.
PLAIN = {
    "min_size": Effect({"min_size": 2}, _min_size),
    "max_size": Effect({"max_size": 2}, _max_size),
    "timeout": Effect({"timeout": SOON, "max_size": 1}, _timeout),
    "max_waiting": Effect({"max_waiting": 1, "max_size": 1}, _max_waiting),
    "recycle": Effect({"recycle": SOON}, _recycle),
    "max_idle": Effect({"max_idle": SOON}, _max_idle),
    "max_idle none": Effect({"max_idle": "none"}, _max_idle_none),
    "ping_after": Effect({"ping_after": 0}, _pings(2)),
    "pre_ping": Effect({"pre_ping": False, "ping_after": 0}, _pings(0)),
    "reset rollback": Effect({"reset": "rollback"}, _left(7)),
    "reset session": Effect({"reset": "session"}, _left(None)),
    "reset none": Effect({"reset": "none"}, _left(7)),
    "leak_after": Effect({"leak_after": SOON}, _leak_after),
    "name": Effect({"name": "orders"}, _name),
}


class Called:
    """A callable that keeps what it was called with, in text."""

    def __init__(self, sql: str | None = None) -> None:
        self.sql = sql
        self.with_: list[Any] = []

    def __call__(self, given: Any) -> None:
        self.with_.append(given)
        if self.sql:
            given.cursor().execute(self.sql)


def check_hooks(make: Callable[..., forksafe.Pool]) -> None:
    """The options that are callables, in a pool that `make(**options)` makes."""
    configure, check = Called("SET @tenant = 1"), Called("SELECT 1")
    reset, told = Called("SET @tenant = 2"), Called()
    pool = make(configure=configure, check=check, reset=reset, on_event=told, max_size=1)
    assert one(pool, "SELECT @tenant") == 1
    assert one(pool, "SELECT @tenant") == 2
    assert [len(hook.with_) for hook in (configure, check, reset)] == [1, 1, 2]
    assert all(isinstance(given, forksafe.Connection) for given in configure.with_ + check.with_)
    assert [event.kind for event in told.with_] == ["connect"]


def check_workers(make: Callable[..., forksafe.Pool]) -> None:
    """`workers`: with so many pools of this size the server would be overrun."""
    for workers, crowded in ((1, []), (100_000, ["crowded"])):
        told = Called()
        pool = make(workers=workers, on_event=told)
        session(pool)
        assert [event.kind for event in told.with_ if event.kind == "crowded"] == crowded
