"""Who holds a connection of a pool, since when and from where, is told; so is a suspected leak."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forksafe
from forksafe.events import Event
from tests.threads import in_a_thread

MakePool = Callable[..., forksafe.Pool]


def here() -> str:
    """The place of whoever calls, as a lease tells it."""
    frame = sys._getframe(1)
    return f"{__file__}:{frame.f_lineno} in {frame.f_code.co_name}"


def test_stats_tell_who_holds_what_longest_first(make_pool: MakePool) -> None:
    pool = make_pool()
    first = in_a_thread(pool.connect, "first")
    second = pool.connect()
    old, new = pool.stats()["leases"]
    assert (old["thread"], new["thread"]) == ("first", threading.current_thread().name)
    assert 0 <= new["seconds"] <= old["seconds"] < 30
    assert (old["where"], old["leaked"]) == (None, False)
    first.close()
    second.close()
    assert pool.stats()["leases"] == []


def test_with_leak_after_the_place_in_the_code_is_recorded(make_pool: MakePool) -> None:
    pool = make_pool(leak_after=60)
    connection, place = pool.connect(), here()
    (lease,) = pool.stats()["leases"]
    assert lease["where"] is not None
    assert lease["where"] == place  # under it there are pytest's frames alone
    connection.close()
    with pool.connection():
        (lease,) = pool.stats()["leases"]
    assert f"in {test_with_leak_after_the_place_in_the_code_is_recorded.__name__}" in str(
        lease["where"]
    )


def test_the_place_leaves_this_package_out(make_pool: MakePool) -> None:
    pool = make_pool(leak_after=60)
    folder = os.path.dirname(forksafe.__file__) + os.sep
    source = "def take(pool):\n    return pool.connect()\n"
    space: dict[str, Any] = {}
    exec(compile(source, folder + "django/base.py", "exec"), space)
    connection, place = space["take"](pool), here()
    (lease,) = pool.stats()["leases"]
    assert str(lease["where"]).startswith(place)
    connection.close()


def test_the_place_is_the_applications_under_any_framework(make_pool: MakePool) -> None:
    pool = make_pool(leak_after=60)
    space: dict[str, Any] = {}
    source = "def depth(pool, n):\n    return depth(pool, n - 1) if n else pool.connect()\n"
    exec(compile(source, "/venv/lib/python3/site-packages/framework.py", "exec"), space)
    connection, place = space["depth"](pool, 20), here()
    (lease,) = pool.stats()["leases"]
    framework = "/venv/lib/python3/site-packages/framework.py:2 in depth"
    assert lease["where"] == f"{framework}, from {place}"
    connection.close()


def test_a_lease_held_too_long_is_told_once_with_its_place(make_pool: MakePool) -> None:
    events: list[Event] = []
    pool = make_pool(leak_after=0.1, on_event=events.append)
    connection, place = in_a_thread(lambda: (pool.connect(), here()), "leaky")
    assert [event.kind for event in events] == ["connect"]
    time.sleep(0.15)
    for _ in range(3):
        (lease,) = pool.stats()["leases"]
        assert lease["leaked"] is True
    (leak,) = [event for event in events if event.kind == "leak"]
    assert leak.details["thread"] == "leaky"
    assert leak.details["seconds"] >= 0.1
    assert leak.details["where"].startswith(place)
    assert place in leak.text
    assert "'leaky'" in leak.text
    seconds, where = leak.details["seconds"], leak.details["where"]
    assert leak.text == (
        f"thread 'leaky' has held a connection for {seconds:.1f}s, taken at {where},"
        " and is suspected to leak it"
    )
    assert pool.stats()["leaks"] == 1
    connection.close()


def test_a_leak_is_noticed_by_whoever_comes_by(make_pool: MakePool) -> None:
    events: list[str] = []
    pool = make_pool(leak_after=0.1, on_event=lambda event: events.append(event.kind))
    leaked = pool.connect()
    time.sleep(0.15)
    pool.connect().close()
    assert "leak" in events
    leaked.close()


def test_without_leak_after_nothing_leaks(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.connect()
    time.sleep(0.05)
    assert (pool.stats()["leaks"], pool.stats()["leases"][0]["leaked"]) == (0, False)
    connection.close()


def test_to_record_the_place_is_cheap(make_pool: MakePool) -> None:
    def cost(**options: Any) -> float:
        pool = make_pool(**options)
        best = []
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(300):
                pool.connect().close()
            best.append((time.perf_counter() - started) / 300)
        return min(best)

    plain, recorded = cost(), cost(leak_after=60)
    print(f"{Path(__file__).name}: a check-out takes {plain * 1e6:.1f} µs,", end=" ")
    print(f"{recorded * 1e6:.1f} µs with its place recorded")
    assert recorded - plain < 0.001
