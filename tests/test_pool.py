"""A pool lends what works, takes back what is clean, and counts what it does."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.answers import one, wait_until

MakePool = Callable[..., forksafe.Pool]
Table = Callable[[str], str]


def test_a_pool_opens_what_is_needed_and_lends_the_newest_again(
    make_pool: MakePool, transport: str, server: Server
) -> None:
    pool = make_pool(transport)
    assert (pool.stats()["pool_size"], pool.stats()["connections_num"]) == (0, 0)
    first, second = pool.connect(), pool.connect()
    sessions = [first.thread_id(), second.thread_id()]
    assert len(set(sessions)) == 2
    first.close()
    second.close()
    assert not first.open
    with pool.connection() as connection:
        assert connection.thread_id() == sessions[1]
    assert set(sessions) <= server.session_ids()
    stats = pool.stats()
    assert (stats["connections_num"], stats["requests_num"], stats["pool_size"]) == (2, 3, 2)
    assert (stats["pool_available"], stats["in_use"], stats["pid"]) == (2, 0, os.getpid())


def test_a_block_commits_when_it_ends_and_rolls_back_when_it_raises(
    make_pool: MakePool, table: Table
) -> None:
    pool, name = make_pool(), table("id INT PRIMARY KEY")
    with pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    assert not connection.open
    with pytest.raises(LookupError), pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (2)")
        raise LookupError
    with pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (3)")
        connection.close()
    with pool.connection() as connection:
        assert one(connection, f"SELECT GROUP_CONCAT(id) FROM {name}") == "1"
    assert pool.stats()["connections_num"] == 1


def test_a_commit_that_fails_at_the_end_of_a_block_is_raised(
    make_pool: MakePool, table: Table, server: Server
) -> None:
    pool, name = make_pool(), table("id INT PRIMARY KEY")
    with pytest.raises(forksafe.OperationalError), pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
        server.kill_session(connection.thread_id())
    assert pool.stats()["discards"]["broken"] == 1
    assert pool.stats()["in_use"] == 0


@pytest.mark.parametrize(
    ("reset", "open_transaction", "left"),
    [
        ("rollback", 0, (0, 7, "forksafe")),
        ("session", 0, (0, None, "forksafe")),
        ("none", 1, (1, 7, "mysql")),
    ],
)
def test_reset_makes_a_connection_like_new_as_far_as_asked(
    make_pool: MakePool,
    table: Table,
    server: Server,
    reset: str,
    open_transaction: int,
    left: tuple[Any, ...],
) -> None:
    name, pool = table("id INT PRIMARY KEY"), make_pool(reset=reset, max_size=1, charset="latin1")
    connection = pool.connect()
    session = connection.thread_id()
    connection.autocommit(True)
    connection.begin()
    connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    connection.cursor().execute("SET @a = 7")
    connection.select_db("mysql")
    connection.close()
    with pool.connection() as connection:
        assert connection.thread_id() == session
        assert connection.in_transaction == bool(open_transaction)
        count = f"SELECT COUNT(*) FROM {server.database}.{name}"
        assert one(connection, count) == open_transaction  # its row, which nobody committed
        cursor = connection.cursor()
        cursor.execute("SELECT @@autocommit, @a, DATABASE()")
        assert cursor.fetchone() == left
        assert one(connection, "SELECT @@character_set_client") == "latin1"


def test_a_check_in_costs_nothing_when_nothing_is_open(make_pool: MakePool, table: Table) -> None:
    pool, name, counts = make_pool(), table("id INT"), []
    for sql in ("DO 0", "DO 0", f"SELECT * FROM {name}", "DO 0"):
        connection = pool.connect()
        cursor = connection.cursor()
        cursor.execute("SHOW SESSION STATUS LIKE 'Questions'")
        counts.append(int((cursor.fetchone() or ())[1]))
        cursor.execute(sql)
        connection.close()
    # SHOW and DO; after the SELECT, which opened a transaction, its ROLLBACK too.
    assert [later - sooner for sooner, later in itertools.pairwise(counts)] == [2, 2, 3]


def test_answers_left_unread_go_with_the_check_in(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1)
    with pool.connection() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1; SELECT 2; SELECT 3")
        session = connection.thread_id()
        cursor.close()
    connection = pool.connect()
    connection.cursor().execute("SELECT 4; SELECT 5")
    connection.close()
    with pool.connection() as connection:
        assert (one(connection, "SELECT 6"), connection.thread_id()) == (6, session)


def test_ping_after_decides_when_a_connection_is_pinged(make_pool: MakePool) -> None:
    pool = make_pool(ping_after=0.1, max_size=1)
    for rest, pings in ((0.0, 0), (0.0, 0), (0.15, 1), (0.0, 1)):
        time.sleep(rest)
        with pool.connection() as connection:
            assert heard_pings(connection) == pool.stats()["pings"] == pings
    pool = make_pool(ping_after=0.1, pre_ping=False)
    pool.connect().close()
    time.sleep(0.15)
    with pool.connection() as connection:
        assert heard_pings(connection) == pool.stats()["pings"] == 0


def test_ping_after_zero_pings_at_every_check_out(make_pool: MakePool) -> None:
    pool = make_pool(ping_after=0)
    for pings in range(3):
        with pool.connection() as connection:
            assert heard_pings(connection) == pool.stats()["pings"] == pings


def heard_pings(connection: forksafe.Connection) -> int:
    """How many pings the server has got in this session."""
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Com_admin_commands'")
    ((_, count),) = cursor.fetchall()
    return int(count)


def test_what_died_in_the_pool_is_replaced_without_an_error(
    make_pool: MakePool, transport: str, server: Server
) -> None:
    pool = make_pool(transport)
    with pool.connection() as connection:
        session = connection.thread_id()
    server.kill_session(session)
    wait_until(lambda: session not in server.session_ids())
    with pool.connection() as connection:
        assert one(connection, "SELECT CONNECTION_ID()") != session
    stats = pool.stats()
    assert (stats["probe_failures"], stats["ping_failures"]) == (1, 0)
    assert stats["discards"]["broken"] == 1


@pytest.mark.parametrize(("option", "reason"), [("recycle", "expired"), ("max_idle", "idle")])
def test_what_is_too_old_is_not_lent_again(make_pool: MakePool, option: str, reason: str) -> None:
    pool = make_pool(**{option: 0.3})
    with pool.connection() as connection:
        session = connection.thread_id()
    with pool.connection() as connection:
        assert connection.thread_id() == session
    time.sleep(0.35)
    with pool.connection() as connection:
        assert connection.thread_id() != session
    assert pool.stats()["discards"][reason] == 1


def test_no_more_callers_wait_than_may(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1, max_waiting=1, name="small")
    held = pool.connect()
    waiting = threading.Thread(target=lambda: pool.connect().close())
    waiting.start()
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    started = time.monotonic()
    with pytest.raises(forksafe.TooManyRequests, match="'small' .*1 callers wait .*max_waiting"):
        pool.connect()
    assert time.monotonic() - started < 0.2
    held.close()
    waiting.join()
    assert (pool.stats()["hand_offs"], pool.stats()["pool_available"]) == (1, 1)


def test_who_came_first_is_served_first(make_pool: MakePool) -> None:
    pool, served, held = make_pool(max_size=1), [], []
    held.append(pool.connect())
    threads = []
    for number in range(8):

        def take(number: int = number) -> None:
            with pool.connection():
                served.append(number)

        threads.append(threading.Thread(target=take))
        threads[-1].start()
        wait_until(lambda number=number: pool.stats()["requests_waiting"] == number + 1)
    held.pop().close()
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    stats = pool.stats()
    assert (stats["connections_num"], stats["hand_offs"], stats["requests_queued"]) == (1, 8, 8)


def test_many_threads_share_few_connections(make_pool: MakePool, table: Table) -> None:
    pool, name = make_pool(max_size=3), table("id INT PRIMARY KEY, n INT")
    with pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1, 0)")

    def work() -> None:
        for _ in range(20):
            with pool.connection() as connection:
                connection.cursor().execute(f"UPDATE {name} SET n = n + 1")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with pool.connection() as connection:
        assert one(connection, f"SELECT n FROM {name}") == 160
    stats = pool.stats()
    assert stats["connections_num"] <= 3
    assert (stats["in_use"], stats["requests_waiting"], stats["requests_num"]) == (0, 0, 162)


def test_closing_ends_what_is_idle_and_lets_what_is_lent_finish(
    make_pool: MakePool, server: Server
) -> None:
    pool = make_pool()
    idle, lent = pool.connect(), pool.connect()
    sessions = {idle.thread_id(), lent.thread_id()}
    idle.close()
    pool.close()
    wait_until(lambda: server.session_ids() & sessions == {lent.thread_id()})
    assert one(lent, "SELECT 1") == 1
    lent.close()
    wait_until(lambda: not server.session_ids() & sessions)
    stats = pool.stats()
    assert (stats["closed"], stats["pool_size"], stats["discards"]["closed"]) == (True, 0, 2)


def test_closing_wakes_who_waits(make_pool: MakePool) -> None:
    pool, told = make_pool(max_size=1), []
    held = pool.connect()

    def wait() -> None:
        with pytest.raises(forksafe.PoolClosed) as caught:
            pool.connect()
        told.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    pool.close()
    waiting.join()
    assert len(told) == 1
    held.close()


def test_a_pool_shows_its_state(make_pool: MakePool) -> None:
    pool = make_pool(name="shop", max_size=3)
    held = pool.connect()
    pool.connect().close()
    assert repr(pool) == "<forksafe.Pool 'shop' [3 max | 1 in use, 1 idle, 0 waiting]>"
    assert (pool.name, pool.closed, held.open) == ("shop", False, True)
    with pool as same:
        assert same is pool
    assert pool.closed
    assert make_pool().name != make_pool().name
