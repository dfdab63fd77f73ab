"""Hooks and events of many threads at once, and of children forked in the middle of them."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests.answers import one
from tests.test_fork_threads import threads

# Python 3.12+ warns of every fork beside threads; they are the point here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

MakePool = Callable[..., forksafe.Pool]


class Moody:
    """A hook that runs a statement, and then raises one time in `one_in`."""

    def __init__(self, one_in: int) -> None:
        self.one_in = one_in
        self.numbers = itertools.count()
        self.raised = itertools.count()

    def __call__(self, connection: forksafe.Connection) -> None:
        next(self.numbers)
        assert one(connection, "SELECT 1") == 1
        if self.one_in and random.randrange(self.one_in) == 0:
            next(self.raised)
            raise LookupError("not today")


def test_hooks_that_raise_at_random_lose_no_slot(make_pool: MakePool) -> None:
    configure, check, reset = Moody(3), Moody(5), Moody(5)
    events: list[forksafe.events.Event] = []
    pool = make_pool(
        configure=configure,
        check=check,
        reset=reset,
        on_event=events.append,
        max_size=3,
        timeout=20,
    )
    served, refused = itertools.count(), []

    def work() -> None:
        for _ in range(40):
            try:
                with pool.connection() as connection:
                    assert one(connection, "SELECT 2") == 2
                    next(served)
            except forksafe.OperationalError as error:
                refused.append(error.__cause__)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert next(served) + len(refused) == 320
    assert len(refused) == next(configure.raised)
    assert {type(cause) for cause in refused} <= {LookupError}
    stats = pool.stats()
    assert (stats["in_use"], stats["requests_waiting"]) == (0, 0)
    assert len(pool) <= 3
    broken = next(check.raised) + next(reset.raised)
    assert stats["discards"]["broken"] == broken > 0
    told = [event.details for event in events if event.kind == "discard"]
    assert len(told) == broken
    assert all(isinstance(details["error"], LookupError) for details in told)
    for hook in (configure, check, reset):
        hook.one_in = 0
    held = [pool.connect() for _ in range(3)]
    assert len(held) == len(pool) == 3


def test_children_forked_while_threads_are_in_hooks_do_not_hang(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    hook = Moody(0)
    pool = make_pool(configure=hook, check=hook, reset=hook, max_size=3, timeout=20, recycle=0.01)

    def use(turn: int = 0) -> int:
        with pool.connection() as connection:
            return int(one(connection, "SELECT 3"))

    with threads(use):
        for _ in range(25):
            assert in_child(use) == 3
    assert pool.stats()["in_use"] == 0
