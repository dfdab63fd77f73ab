"""Parents whose other threads are in the middle of something at the fork."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import forksafe
from tests.matrix.background import PATIENCE, Background
from tests.matrix.stage import Stage
from tests.matrix.state import State, ask
from tests.watched import ANSWER


class Threaded(State):
    """With a thread that `go_on` brings to its end."""

    has_threads = True
    thread: Background | None = None

    def leave(self) -> None:
        self.let_thread_go()
        if self.thread:
            self.thread.result()
        super().leave()

    def let_thread_go(self) -> None:
        """Let the thread come to its end; safe to repeat."""


class Querying(Threaded):
    """Another thread is in the middle of a query on the connection."""

    name = "querying"

    def enter(self) -> None:
        super().enter()
        statement = self.witness.hold_a_lock()
        self.thread = Background(lambda: self.ask(statement))
        self.witness.wait_until_waiting(self.session)

    def go_on(self) -> None:
        assert self.thread is not None
        assert self.thread.is_running(), "the query did not wait for the end of the child"
        self.let_thread_go()
        assert self.thread.result() == list(ANSWER)

    def let_thread_go(self) -> None:
        self.witness.release_locks()


class Connecting(Threaded):
    """Another thread is in the middle of connecting: the server has greeted, no more."""

    name = "connecting"
    GREETED = 20  # bytes; a greeting is longer

    def __init__(self, stage: Stage, transport: str) -> None:
        super().__init__(stage, transport)
        self.proxy, self.there = stage.proxy(transport)

    def options(self) -> dict[str, Any]:
        return {**super().options(), **self.there}

    def enter(self) -> None:
        super().enter()
        self.proxy.hold_next()
        down = self.proxy.stats()["down"] + self.GREETED
        self.thread = Background(self.connect_and_ask)
        wait_until(lambda: self.proxy.stats()["down"] >= down)

    def go_on(self) -> None:
        assert self.thread is not None
        assert self.thread.is_running(), "the connect did not wait for the end of the child"
        self.let_thread_go()
        assert self.thread.result() == [(self.token, 1)]

    def let_thread_go(self) -> None:
        self.proxy.pass_()

    def connect_and_ask(self) -> list[tuple[Any, ...]]:
        with self.pool.connection() as own:
            return ask(own, f"SELECT {self.token}, CONNECTION_ID() <> {self.session}")

    def verify_counts(self, connects: int = 2) -> None:
        super().verify_counts(connects)


class Waiting(Threaded):
    """A caller waits in the queue of a pool that has lent everything."""

    name = "waiting"
    other: Any = None

    def enter(self) -> None:
        super().enter()
        self.other = self.pool.connect()
        [(self.wanted,)] = ask(self.other, "SELECT CONNECTION_ID()")
        self.thread = Background(self.wait_and_ask)
        wait_until(lambda: self.pool.stats()["requests_waiting"] == 1)

    def fill(self) -> set[int]:
        if self.pool:
            stats = self.pool.stats()
            assert (stats["requests_waiting"], stats["in_use"]) == (0, 0)
        return super().fill()

    def go_on(self) -> None:
        assert self.pool.stats()["requests_waiting"] == 1
        self.let_thread_go()
        assert self.thread is not None
        assert self.thread.result() == [(self.wanted,)]

    def let_thread_go(self) -> None:
        if self.other:
            self.other.close()
            self.other = None

    def wait_and_ask(self) -> list[tuple[Any, ...]]:
        with self.pool.connection() as lent:
            return ask(lent, "SELECT CONNECTION_ID()")

    def verify_counts(self, connects: int = 2) -> None:
        super().verify_counts(connects)


class Contended(State):
    """Other threads take the pool's lock as often as they can.

    What is hit: a fork at any moment of a check-out, of a check-in and of a time-out, which tells
    under the lock who holds what. What is not: nobody outside can stop a thread that has the
    lock, which it keeps for less than a microsecond, so in one cell it is held by chance. That it
    is held for certain, `tests/pool_fork.rs` shows from the inside.
    """

    name = "contended"
    size = 3
    has_threads = True
    has_running_threads = True
    CALLERS = 3
    SWITCH_INTERVAL = 1e-4  # seconds; with Python's own 5 ms the main thread would starve

    def enter(self) -> None:
        super().enter()
        other, another = self.pool.connect(), self.pool.connect()
        another.close()
        self.other: Any = other  # so that the callers fight over one
        self.interval = sys.getswitchinterval()
        sys.setswitchinterval(self.SWITCH_INTERVAL)
        self.stop = threading.Event()
        self.callers = [Background(self.hammer) for _ in range(self.CALLERS)]

    def hammer(self) -> None:
        while not self.stop.is_set():
            try:
                self.pool.connect(timeout=0).close()
            except forksafe.PoolTimeout:
                continue

    def go_on(self) -> None:
        lent = self.pool.stats()["wait_time"]["count"]
        wait_until(lambda: self.pool.stats()["wait_time"]["count"] > lent)
        self.end_callers()

    def end_callers(self) -> None:
        self.stop.set()
        for caller in self.callers:
            caller.result()
        sys.setswitchinterval(self.interval)

    def verify_counts(self, connects: int = 3) -> None:
        super().verify_counts(connects)

    def leave(self) -> None:
        self.end_callers()
        self.other.close()
        super().leave()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the parent does not come into its state"
        time.sleep(0.0005)
