"""A stream that ends in the middle: by time-outs, deaths, Ctrl-C, and the return to a pool."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from forksafe.cursors import SSCursor
from scripts.mariadb_server import Server
from tests import watched
from tests.proxy import FaultProxy

witness = watched.witness

Connect = Callable[..., forksafe.Connection]

LARGE = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_200000"
SMALL = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_500"


@pytest.fixture
def waiting(witness: watched.Witness) -> Iterator[str]:
    """A statement whose first row comes at once, and whose second one does not."""
    lock = f"stream{os.getpid()}"
    witness.ask(f"SELECT GET_LOCK('{lock}', 0)")
    yield f"SELECT IF(seq = 1, 1, GET_LOCK('{lock}', 60)), REPEAT('x', 100000) FROM seq_1_to_3"
    witness.release_locks()


def streaming(connection: forksafe.Connection, sql: str) -> forksafe.Cursor:
    """A cursor that has read the first row of `sql`."""
    cursor = connection.cursor(SSCursor)
    cursor.execute(sql)
    assert cursor.fetchone()[0] == 1  # type: ignore[index]
    return cursor


def assert_ends(cursor: forksafe.Cursor, cause: str) -> None:
    """Reading on is 2013 for `cause`; and then cursor and connection are finished."""
    with pytest.raises(forksafe.OperationalError, match=cause) as caught:
        for _ in cursor:
            pass
    assert caught.value.args[0] == 2013
    with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
        cursor.fetchone()
    other = cursor.connection.cursor(forksafe.Cursor)
    for use in (cursor.connection.ping, lambda: other.execute("SELECT 1")):
        with pytest.raises(forksafe.OperationalError) as caught:
            use()
        assert caught.value.args[0] == 2006
    assert not cursor.connection.probe()
    cursor.close()


def test_a_server_that_falls_silent_ends_it_at_read_timeout(
    connect: Connect, transport: str, waiting: str
) -> None:
    cursor = streaming(connect(transport, read_timeout=0.4), waiting)
    assert_ends(cursor, "timed out")


def test_a_network_that_falls_silent_ends_it_at_read_timeout(
    connect: Connect, proxy: FaultProxy
) -> None:
    cursor = streaming(connect(host=proxy.host, port=proxy.port, read_timeout=0.4), LARGE)
    proxy.hang()
    assert_ends(cursor, "timed out")


def test_read_timeout_is_for_a_row_and_not_for_the_program(connect: Connect) -> None:
    cursor = streaming(connect(read_timeout=0.3), LARGE)
    time.sleep(0.6)
    assert sum(1 for _ in cursor) == 199_999


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("fault", ["fin", "rst"])
def test_a_transport_that_dies_ends_it(
    connect: Connect, proxy: FaultProxy, transport: str, fault: str
) -> None:
    cursor = streaming(connect(transport, host=proxy.host, port=proxy.port), LARGE)
    getattr(proxy, fault)()
    assert_ends(cursor, r"Lost connection .*\(.{10,}\)")


def test_a_session_that_is_killed_ends_it(connect: Connect, server: Server) -> None:
    cursor = streaming(connect(), LARGE)
    server.kill_session(cursor.connection.thread_id())
    assert_ends(cursor, "Lost connection")


def test_a_descriptor_that_others_closed_ends_it_and_their_bytes_are_left_alone(
    connect: Connect,
) -> None:
    cursor = streaming(connect(), LARGE)
    number = cursor.connection.fileno()
    reading, writing = os.pipe()
    os.write(writing, b"theirs")
    os.dup2(reading, number)
    try:
        assert_ends(cursor, "its descriptor was closed by other code")
        assert os.read(number, 100) == b"theirs"
    finally:
        for descriptor in (number, reading, writing):
            os.close(descriptor)


def test_ctrl_c_ends_a_wait_for_rows(connect: Connect, waiting: str) -> None:
    cursor = streaming(connect(), waiting)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            cursor.fetchone()
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    with pytest.raises(forksafe.OperationalError) as caught:
        cursor.connection.ping()
    assert caught.value.args[0] == 2006


def test_a_signal_ends_a_fetch_of_many_rows(connect: Connect) -> None:
    cursor = streaming(connect(), LARGE)

    class Raised(Exception): ...

    def handle(*_: object) -> None:
        raise Raised

    timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        timer.start()
        with pytest.raises(Raised):
            cursor.fetchall()
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    # Rows were lost with the error: nobody may take the next ones for those that follow.
    with pytest.raises(forksafe.ProgrammingError):
        cursor.fetchone()


def test_closing_a_connection_does_not_read_the_rest(
    connect: Connect, proxy: FaultProxy, server: Server
) -> None:
    cursor = streaming(connect(host=proxy.host, port=proxy.port), LARGE)
    session = cursor.connection.thread_id()
    cursor.connection.close()
    assert proxy.stats()["down"] < 100_000_000
    deadline = time.monotonic() + 10
    while session in server.session_ids():
        assert time.monotonic() < deadline, "the server goes on with the statement"
        time.sleep(0.01)
    with pytest.raises(forksafe.InterfaceError, match="closed"):
        cursor.fetchall()
    cursor.close()


def ids(pool: forksafe.Pool) -> int:
    """The session that the pool lends."""
    with pool.connection() as connection:
        return connection.thread_id()


@pytest.mark.parametrize("reset", ["rollback", "session", "none"])
def test_a_check_in_skips_a_few_rows(make_pool: Any, transport: str, reset: str) -> None:
    pool = make_pool(transport, max_size=1, reset=reset)
    session = ids(pool)
    connection = pool.connect()
    cursor = streaming(connection, SMALL)
    connection.close()
    assert ids(pool) == session
    with pool.connection() as connection, connection.cursor() as other:
        other.execute("SELECT 7")
        assert other.fetchall() == ((7,),)
        # The rows that had come are the cursor's; what was skipped is nobody's.
        with pytest.raises(forksafe.InterfaceError, match="closed"):
            cursor.fetchall()
    assert sum(pool.stats()["discards"].values()) == 0


@pytest.mark.parametrize("end", ["close", "an error in the block"])
def test_a_check_in_discards_what_has_many_rows_unread(
    make_pool: Any, proxy: FaultProxy, end: str
) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port, max_size=1)
    session, received = ids(pool), proxy.stats()["down"]
    if end == "close":
        connection = pool.connect()
        cursor = streaming(connection, LARGE)
        connection.close()
    else:
        with pytest.raises(ZeroDivisionError), pool.connection() as connection:
            cursor = streaming(connection, LARGE)
            raise ZeroDivisionError
    assert pool.stats()["discards"]["broken"] == 1
    # The kernels' buffers take some megabytes too.
    assert proxy.stats()["down"] - received < 100_000_000
    assert ids(pool) != session
    cursor.close()


def test_a_check_in_does_not_wait_for_rows_that_do_not_come(make_pool: Any, waiting: str) -> None:
    pool = make_pool(max_size=1, connect_timeout=60)
    connection = pool.connect()
    cursor = streaming(connection, waiting)
    started = time.monotonic()
    connection.close()
    assert time.monotonic() - started < 20
    assert pool.stats()["discards"]["broken"] == 1
    assert cursor.connection is connection


@pytest.mark.parametrize("sql", [SMALL, LARGE])
def test_a_block_of_a_pool_commits_though_rows_are_unread(
    make_pool: Any, table: Any, sql: str
) -> None:
    pool, name = make_pool(max_size=1), table("id INT")
    with pool.connection() as connection:
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
        kept = streaming(connection, sql)
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {name}")
        assert cursor.fetchall() == ((1,),)
    assert pool.stats()["discards"]["broken"] == 0
    kept.close()
