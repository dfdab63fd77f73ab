"""What is collected, or was left by a thread that has ended, comes back to the pool."""

from __future__ import annotations

import gc
import queue
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.events import Event
from scripts.mariadb_server import Server
from tests.answers import one, wait_until
from tests.questions import session
from tests.threads import in_a_thread

MakePool = Callable[..., forksafe.Pool]
pytest_plugins = ["tests.engines"]


def test_a_connection_that_is_collected_comes_back_and_is_counted(
    make_pool: MakePool, server: Server
) -> None:
    events: list[Event] = []
    pool = make_pool(max_size=1, timeout=5, on_event=events.append)
    connection = pool.connect()
    connection.begin()
    number = connection.thread_id()
    del connection
    gc.collect()
    assert (pool.stats()["in_use"], pool.stats()["collected"]) == (0, 1)
    (reclaim,) = [event for event in events if event.kind == "reclaim"]
    assert reclaim.details["cause"] == "collected"
    assert reclaim.details["thread"] == threading.current_thread().name
    with pool.connection() as connection:
        assert (connection.thread_id(), connection.in_transaction) == (number, False)
    assert pool.stats()["collected"] == 1


def test_what_comes_back_by_itself_is_told_with_its_place(make_pool: MakePool) -> None:
    events: list[Event] = []
    pool = make_pool(leak_after=60, on_event=events.append)
    pool.connect()  # and nobody keeps it
    gc.collect()
    (reclaim,) = [event for event in events if event.kind == "reclaim"]
    thread, where = reclaim.details["thread"], reclaim.details["where"]
    before, seconds, after = re.split(r"(\d+\.\d)s", reclaim.text)
    assert before == f"thread '{thread}' had held a connection for "
    assert float(seconds) < 60
    assert after == f", taken at {where}; it was never closed, and was collected"


@pytest.mark.parametrize("end", ["close", "with", "block", "error"])
def test_what_is_given_back_is_not_counted_as_collected(make_pool: MakePool, end: str) -> None:
    pool = make_pool()
    if end == "close":
        pool.connect().close()
    elif end == "with":
        with pool.connect():
            pass
    elif end == "block":
        with pool.connection():
            pass
    else:
        with pytest.raises(LookupError), pool.connection():
            raise LookupError
    gc.collect()
    assert (pool.stats()["in_use"], pool.stats()["collected"]) == (0, 0)


def test_a_child_that_drops_what_it_inherited_counts_nothing(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    pool = make_pool()
    held = [pool.connect()]
    number = held[0].thread_id()

    def child() -> int:
        held.clear()
        gc.collect()
        return pool.stats()["collected"]

    assert in_child(child) == 0
    assert one(held[0], "SELECT CONNECTION_ID()") == number
    assert (pool.stats()["collected"], pool.stats()["in_use"]) == (0, 1)


def test_what_lives_until_the_interpreter_ends_is_neither_told_nor_reset(
    run_python: Callable[..., Any], server: Server
) -> None:
    program = """
import os, forksafe
held = None  # the first to go
pool = forksafe.Pool(
    os.environ["FORKSAFE_TEST_URL"],
    on_event=lambda event: print(event.kind),
    reset=lambda connection: print("reset"),
)
held = pool.connect()
pool.connect().close()
"""
    done = run_python(program)
    assert (done.stdout.split(), done.stderr) == (["connect", "connect", "reset"], "")


def test_a_connection_of_a_thread_that_has_ended_comes_back_when_another_waits(
    make_pool: MakePool,
) -> None:
    events: list[Event] = []
    pool = make_pool(max_size=1, timeout=20, on_event=events.append)
    orphan = in_a_thread(pool.connect, "worker")
    number = orphan.thread_id  # not called: that would make this the thread that used it last
    started = time.monotonic()
    with pool.connection() as connection:
        session = connection.thread_id()
    assert time.monotonic() - started < 10
    assert pool.stats()["orphaned"] == 1
    assert pool.stats()["connections_num"] == 1
    (reclaim,) = [event for event in events if event.kind == "reclaim"]
    assert (reclaim.details["cause"], reclaim.details["thread"]) == ("thread_ended", "worker")
    assert not orphan.open
    for use in (number, orphan.ping, orphan.cursor):
        with pytest.raises(forksafe.InterfaceError, match="taken back: the thread .* has ended"):
            use()
    orphan.close()
    with pool.connection() as connection:
        assert connection.thread_id() == session
    assert pool.stats()["returns_bad"] == 0


def test_what_an_ended_thread_left_open_is_rolled_back(
    make_pool: MakePool, table: Callable[[str], str]
) -> None:
    pool, name = make_pool(max_size=1, timeout=20), table("id INT PRIMARY KEY")

    def begin() -> forksafe.Connection:
        connection = pool.connect()
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
        return connection

    kept = in_a_thread(begin)
    with pool.connection() as connection:
        assert one(connection, f"SELECT COUNT(*) FROM {name}") == 0
    assert not kept.open


def test_a_connection_handed_to_a_living_thread_stays_with_it(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1)
    handed = in_a_thread(pool.connect)
    number = handed.thread_id()  # used here, and this thread lives
    with pytest.raises(forksafe.PoolTimeout):
        pool.connect(timeout=0.3)
    assert one(handed, "SELECT CONNECTION_ID()") == number
    assert pool.stats()["orphaned"] == 0
    handed.close()


def test_those_who_wait_are_not_in_the_way_of_who_uses(make_pool: MakePool) -> None:
    pool, refused = make_pool(max_size=1), []

    def wait() -> None:  # it looks ten times a second whether the other lives
        try:
            pool.connect(timeout=2)
        except forksafe.PoolTimeout as error:
            refused.append(error)

    held, waiting = pool.connect(), [threading.Thread(target=wait) for _ in range(30)]
    for thread in waiting:
        thread.start()
    while len(refused) < len(waiting):
        for _ in range(1000):
            held.thread_id()  # raises where another thread has the connection just then
    for thread in waiting:
        thread.join(20)
    assert pool.stats()["orphaned"] == 0
    held.close()


def test_an_ended_threads_connection_stays_while_nobody_waits(make_pool: MakePool) -> None:
    pool = make_pool(max_size=2)
    orphan = in_a_thread(pool.connect)
    pool.connect().close()
    assert orphan.open
    assert pool.stats()["orphaned"] == 0
    orphan.close()


def test_one_who_waits_already_gets_what_a_thread_leaves(make_pool: MakePool) -> None:
    pool, kept = make_pool(max_size=1, timeout=20), []
    leave: queue.Queue[None] = queue.Queue()

    def hold() -> None:
        kept.append(pool.connect())
        leave.get(timeout=20)

    holder = threading.Thread(target=hold)
    holder.start()
    wait_until(lambda: bool(kept))
    waiter = threading.Thread(target=lambda: pool.connect().close())
    waiter.start()
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    leave.put(None)
    holder.join(20)
    waiter.join(20)
    assert not waiter.is_alive()
    assert pool.stats()["orphaned"] == 1


def test_many_threads_that_die_with_their_connections_starve_nobody(make_pool: MakePool) -> None:
    pool, kept = make_pool(max_size=3, timeout=20), []
    for _ in range(12):
        kept.append(in_a_thread(pool.connect))
    stats = pool.stats()
    assert 9 <= stats["orphaned"] < 12
    assert stats["connections_num"] == 3
    # All that were orphaned may come back at once.
    assert 1 <= sum(connection.open for connection in kept) == stats["in_use"] <= 3
    assert kept[-1].open


def test_a_thread_that_ends_with_its_connection_in_its_locals_gives_it_back(
    make_pool: MakePool,
) -> None:
    pool, local = make_pool(max_size=1, timeout=20), threading.local()

    def work() -> None:
        local.connection = pool.connect()

    for _ in range(5):
        in_a_thread(work)
    assert pool.stats()["in_use"] == 0
    assert pool.stats()["connections_num"] == 1


def test_sqlalchemys_own_pool_survives_that_its_connection_was_taken_back(
    make_pool: MakePool, make_engine: Callable[..., Any]
) -> None:
    pool = make_pool(max_size=1, timeout=20)
    engine = make_engine(creator=pool.connect, pool_size=1, max_overflow=0)

    def ask() -> int:
        with engine.connect() as connection:
            return session(connection)

    number = in_a_thread(ask)  # the engine's pool keeps the connection
    with pool.connection() as connection:
        assert connection.thread_id() == number
    assert pool.stats()["orphaned"] == 1
    assert ask() == number  # it has noticed, and has got it anew
    assert pool.stats()["connections_num"] == 1
