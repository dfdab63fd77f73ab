"""A PoolTimeout says what an operator needs to know."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.throwaway import Throwaway
from tests.answers import wait_until

MakePool = Callable[..., forksafe.Pool]


class Holders:
    """Threads that each hold a connection until they are told to leave."""

    def __init__(self, pool: forksafe.Pool) -> None:
        self.pool = pool
        self.leave = threading.Event()
        self.threads: list[threading.Thread] = []

    def add(self, name: str) -> None:
        """One more, which holds a connection when this returns."""
        holds = threading.Event()

        def hold() -> None:
            with self.pool.connection():
                holds.set()
                self.leave.wait(30)

        self.threads.append(threading.Thread(target=hold, name=name))
        self.threads[-1].start()
        assert holds.wait(10)

    def end(self) -> None:
        """All of them."""
        self.leave.set()
        for thread in self.threads:
            thread.join(10)


def timeout_of(pool: forksafe.Pool, timeout: float = 0.1) -> str:
    """The text of a PoolTimeout, printed for who reads the test's output."""
    with pytest.raises(forksafe.PoolTimeout) as caught:
        pool.connect(timeout=timeout)
    number, text = caught.value.args
    assert number == 2000
    assert isinstance(caught.value, forksafe.OperationalError)
    print(f"\n{text}")
    return str(text)


def test_it_tells_sizes_holders_pid(make_pool: MakePool) -> None:
    pool = make_pool(name="shop", max_size=4)
    holders = Holders(pool)
    for name in ("slow-report", "worker-1", "worker-2", "worker-3"):
        holders.add(name)
        time.sleep(0.06)
    text = timeout_of(pool)
    holders.end()
    assert re.fullmatch(
        rf"no connection within 0\.1s from pool 'shop' in process {os.getpid()} "
        r"\(4 of 4 open, 4 in use, 0 idle, 1 waiting\); held longest: "
        r"thread 'slow-report' \d+\.\ds, thread 'worker-1' \d+\.\ds, thread 'worker-2' \d+\.\ds",
        text,
    )


def test_it_tells_how_many_wait(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1)
    held = pool.connect()
    waiting = [threading.Thread(target=lambda: pool.connect(timeout=20).close()) for _ in range(2)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: pool.stats()["requests_waiting"] == 2)
    assert "1 in use, 0 idle, 3 waiting)" in timeout_of(pool)
    held.close()
    for thread in waiting:
        thread.join(20)


def test_it_tells_where_leases_were_taken_and_which_are_leaked(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1, leak_after=0.05)
    holders = Holders(pool)
    holders.add("leaky")
    time.sleep(0.1)
    text = timeout_of(pool)
    holders.end()
    leaky = rf"thread 'leaky' \d+\.\ds \(leaked\) at {re.escape(__file__)}:\d+ in hold"
    assert re.search(rf"; held longest: {leaky}$", text)


def test_it_tells_the_last_connect_error(make_pool: MakePool, controlled_server: Throwaway) -> None:
    pool = make_pool(max_size=2, connect_timeout=2)
    held = [pool.connect()]
    controlled_server.stop()
    with pytest.raises(forksafe.OperationalError, match="2003"):
        pool.connect()
    pool.resize(max_size=1)  # now there is nothing to connect for: callers queue
    text = timeout_of(pool)
    assert re.search(r"; last connect error \(\d+\.\ds ago\): .*2003.*Can't connect", text)
    held.clear()


def test_it_tells_that_the_pool_is_suspended(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.suspend()
    assert "; the pool is suspended" in timeout_of(pool)


def test_it_is_of_the_process_that_asks(make_pool: MakePool, in_child: Callable[..., Any]) -> None:
    pool = make_pool(max_size=1, name="shop")
    held = pool.connect()

    def child() -> tuple[int, str]:
        own = pool.connect()
        text = timeout_of(pool)
        own.close()
        return os.getpid(), text

    pid, text = in_child(child)
    assert f"'shop' in process {pid} (1 of 1 open, 1 in use, 0 idle, 1 waiting)" in text
    held.close()
