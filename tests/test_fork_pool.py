"""A child's pool works at once, with no hook: same options, empty, full size."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

import forksafe
from tests import fork, watched
from tests.watched import Watched

watch, witness = watched.watch, watched.witness

InChild = Callable[..., Any]
Watch = Callable[..., Watched]
MakePool = Callable[..., forksafe.Pool]

CHILDREN = 4
QUERIES = 150


def session_of(connection: forksafe.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


def fill(pool: forksafe.Pool) -> list[forksafe.Connection]:
    """Check out all that the pool lends."""
    return [pool.connect() for _ in range(pool.stats()["pool_max"])]


def work(pool: forksafe.Pool) -> set[int]:
    """Use the pool at full size, put everything back, close it; the sessions used."""
    connections = fill(pool)
    sessions = {session_of(connection) for connection in connections}
    for connection in connections:
        connection.close()
    pool.close()
    return sessions


def test_a_pool_that_is_exhausted_in_the_parent_is_free_in_the_child(
    make_pool: MakePool, in_child: InChild
) -> None:
    pool = make_pool(max_size=3)
    held = fill(pool)
    ours = {session_of(connection) for connection in held}
    theirs = in_child(work, pool)
    assert len(ours | theirs) == 6
    assert {session_of(connection) for connection in held} == ours


def test_a_child_has_the_same_options_and_counts_from_zero(watch: Watch, in_child: InChild) -> None:
    parent = watch("in_transaction", name="orders")
    before = _figures(parent.pool)
    after = in_child(lambda: (os.getpid(), parent.pool.name, parent.pool.stats()))
    pid, name, stats = after
    assert name == "orders"
    assert stats == {
        **dict.fromkeys(before, 0),
        "pid": pid,
        "name": "orders",
        "pool_max": 2,
        "closed": False,
        "suspended": False,
        "forks_noticed": 1,
        "discards": {**dict.fromkeys(before["discards"], 0), "inherited": 1},
        "idle_limit": stats["idle_limit"],
        "idle_limit_source": "max_idle",
        **dict.fromkeys(("down_for", "last_connect_error")),
        "wait_time": dict.fromkeys(before["wait_time"], 0),
        "use_time": dict.fromkeys(before["use_time"], 0),
        "leases": [],
    }
    assert _figures(parent.pool) == before
    parent.assert_undisturbed()


def test_a_child_is_refused_past_the_size_with_its_own_numbers(
    watch: Watch, in_child: InChild
) -> None:
    parent = watch("lent")

    def child() -> str:
        held = fill(parent.pool)
        with pytest.raises(forksafe.PoolTimeout) as caught:
            parent.pool.connect(timeout=0.05)
        assert len(held) == 2
        assert str(os.getpid()) in str(caught.value)
        parent.pool.close()
        return str(caught.value)

    assert str(os.getpid()) not in in_child(child)
    parent.pool.connect().close()


def test_checking_in_an_inherited_lease_gains_no_slot(watch: Watch, in_child: InChild) -> None:
    parent = watch("lent")

    def child() -> None:
        own = fill(parent.pool)
        parent.connection.close()
        parent.connection = None
        assert parent.pool.stats()["in_use"] == 2
        with pytest.raises(forksafe.PoolTimeout):
            parent.pool.connect(timeout=0.05)
        session = session_of(own[0])
        own[0].close()
        own[0] = parent.pool.connect()
        assert session_of(own[0]) == session
        for connection in own:
            connection.close()
        parent.pool.close()

    in_child(child)
    parent.assert_undisturbed()


def test_a_pool_closed_in_the_child_stays_open_in_the_parent(
    watch: Watch, in_child: InChild
) -> None:
    parent = watch("idle")

    def child() -> bool:
        parent.pool.close()
        with pytest.raises(forksafe.PoolClosed):
            parent.pool.connect()
        return bool(parent.pool.closed)

    assert in_child(child)
    assert not parent.pool.closed
    parent.assert_undisturbed()


def test_a_pool_closed_before_the_fork_is_closed_in_the_child(
    make_pool: MakePool, in_child: InChild
) -> None:
    pool = make_pool()
    pool.connect().close()
    pool.close()

    def child() -> None:
        assert pool.closed
        with pytest.raises(forksafe.PoolClosed):
            pool.connect()

    in_child(child)


def test_a_pool_not_used_before_the_fork_works_in_the_child(
    make_pool: MakePool, in_child: InChild, transport: str
) -> None:
    pool = make_pool(transport, max_size=2)
    assert len(in_child(work, pool)) == 2
    assert pool.stats()["connections_num"] == 0


def test_each_generation_has_the_full_size(watch: Watch, in_child: InChild) -> None:
    parent = watch("in_transaction")

    def generation(depth: int) -> list[tuple[int, int]]:
        held = fill(parent.pool)
        seen = [(parent.pool.stats()["forks_noticed"], len(held))]
        if depth < 5:
            seen += fork.in_child(generation, depth + 1)
        sessions = {session_of(connection) for connection in held}
        assert len(sessions) == 2
        parent.pool.close()
        for connection in held:
            connection.close()
        return seen

    assert in_child(generation, 1) == [(depth, 2) for depth in range(1, 6)]
    parent.assert_undisturbed()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_those_who_wait_in_the_parent_do_not_wait_in_the_child(
    watch: Watch, in_child: InChild
) -> None:
    parent = watch("in_transaction")
    other = parent.pool.connect()
    lent: list[int] = []
    waiter = threading.Thread(target=lambda: lent.append(session_of(parent.pool.connect())))
    waiter.start()
    while parent.pool.stats()["requests_waiting"] == 0:
        time.sleep(0.001)

    def child() -> tuple[int, int]:
        stats = parent.pool.stats()
        work(parent.pool)
        return stats["requests_waiting"], stats["in_use"]

    assert in_child(child) == (0, 0)
    session = session_of(other)
    other.close()
    waiter.join(5)
    assert lent == [session]
    parent.assert_undisturbed(connects=2)


def test_parent_and_children_at_once_get_their_own_answers(watch: Watch, transport: str) -> None:
    parent = watch("in_transaction", transport)
    children = [os.fork() or answer_and_exit(parent.pool, number) for number in range(CHILDREN)]
    try:
        wrong = wrong_answers(parent.pool, CHILDREN)
    finally:
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    assert (wrong, statuses) == (0, [0] * CHILDREN)
    parent.assert_undisturbed(connects=2)


def wrong_answers(pool: forksafe.Pool, number: int) -> int:
    wrong = 0
    for turn in range(QUERIES):
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT %s, %s", (number, turn))
            wrong += cursor.fetchall() != ((number, turn),)
    return wrong


def answer_and_exit(pool: forksafe.Pool, number: int) -> NoReturn:
    status = 99
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        status = wrong_answers(pool, number)
        pool.close()
    finally:
        os._exit(min(status, 99))


def _figures(pool: forksafe.Pool) -> dict[str, Any]:
    """What does not change by itself: how long a lease is held does."""
    return {**pool.stats(), "leases": []}
