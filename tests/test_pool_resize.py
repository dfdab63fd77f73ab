"""A pool is resized while it works; sizes that cannot be are refused; a child has its parent's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests.answers import wait_until
from tests.threads import in_thread

MakePool = Callable[..., forksafe.Pool]


def test_resize_closes_what_is_too_many(make_pool: MakePool) -> None:
    pool = make_pool(max_size=4)
    held = [pool.connect() for _ in range(4)]
    held.pop().close()
    held.pop().close()
    pool.resize(max_size=1)
    assert (len(pool), pool.stats()["pool_max"], pool.stats()["pool_available"]) == (2, 1, 0)
    held.pop().close()
    held.pop().close()
    assert (len(pool), pool.stats()["discards"]["surplus"]) == (1, 3)
    with pytest.raises(forksafe.PoolTimeout), pool.connection():
        pool.connect(timeout=0.05)


def test_resize_lets_those_in_who_wait(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1, timeout=20)
    held = pool.connect()
    waiting = in_thread(pool.connect)
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    pool.resize(max_size=2)
    waiting().close()
    held.close()
    assert len(pool) == 2


def test_resize_changes_what_is_given_alone(make_pool: MakePool) -> None:
    pool = make_pool(min_size=1, max_size=4)

    def sizes() -> tuple[int, int]:
        stats = pool.stats()
        return stats["pool_min"], stats["pool_max"]

    pool.resize(min_size=2)
    assert sizes() == (2, 4)
    pool.resize(max_size=3)
    assert sizes() == (2, 3)
    pool.resize()
    assert sizes() == (2, 3)
    pool.open()
    assert len(pool) == 2


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"max_size": 0}, "max_size must be at least 1, not 0"),
        ({"max_size": -1}, "max_size"),
        ({"min_size": -1}, "min_size"),
        ({"min_size": 11}, "min_size must be at most max_size, which is 10, not 11"),
        ({"max_size": 1}, "min_size must be at most max_size, which is 1, not 2"),
    ],
)
def test_sizes_that_cannot_be_are_refused(
    make_pool: MakePool, given: dict[str, int], text: str
) -> None:
    pool = make_pool(min_size=2)
    with pytest.raises(forksafe.ProgrammingError, match=text):
        pool.resize(**given)
    assert (pool.stats()["pool_min"], pool.stats()["pool_max"]) == (2, 10)


def test_a_child_has_the_sizes_of_its_parent(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    pool = make_pool()
    pool.resize(min_size=1, max_size=2)

    def child() -> tuple[int, int]:
        stats = pool.stats()
        return stats["pool_min"], stats["pool_max"]

    assert in_child(child) == (1, 2)
