"""Time-outs bound the whole wait, and what has timed out is never used again."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
SHORT = 0.4  # seconds, the time-out under test
SLACK = 0.6  # seconds that it may take longer on a busy machine


@contextlib.contextmanager
def takes(least: float, most: float) -> Iterator[None]:
    """The block takes at least and at most so many seconds."""
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started <= most


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def full() -> Iterator[int]:
    """The port of a listener whose queue is full: a connect gets no answer at all."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = listener.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        time.sleep(0.05)
        yield port


def is_over(connection: forksafe.Connection) -> bool:
    """Whether every further use is refused with 2006, at once."""
    for use in (connection.cursor().execute, lambda _: connection.ping()):
        with takes(0, 0.2), pytest.raises(forksafe.OperationalError) as caught:
            use("SELECT 1")
        assert caught.value.args[0] == 2006
    return connection.probe() is False


@pytest.mark.parametrize("opener", ["connect", "pool"])
def test_a_connect_ends_when_a_server_never_greets(silent: int, opener: str) -> None:
    options: dict[str, Any] = {"host": "127.0.0.1", "port": silent, "connect_timeout": SHORT}
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        if opener == "pool":
            forksafe.Pool(**options).connect()
        else:
            forksafe.connect(**options)
    assert caught.value.args[0] == 2013
    assert "at handshake (timed out" in caught.value.args[1]


def test_a_connect_ends_when_nothing_answers(full: int) -> None:
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(host="127.0.0.1", port=full, connect_timeout=SHORT)
    assert caught.value.args[0] == 2003
    assert "timed out" in caught.value.args[1]


@pytest.mark.parametrize("after", [20, 100])
def test_a_connect_ends_when_a_server_drips(
    connect: Connect, proxy: FaultProxy, after: int
) -> None:
    proxy.slice(1)
    proxy.delay(after)
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        connect(host=proxy.host, port=proxy.port, connect_timeout=SHORT)
    assert caught.value.args[0] == 2013


def test_a_pools_own_time_out_bounds_its_connect(silent: int) -> None:
    for own, given in ((SHORT, None), (60, SHORT)):
        pool = forksafe.Pool(host="127.0.0.1", port=silent, timeout=own)
        with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError):
            pool.connect(timeout=given)


def test_a_query_that_takes_too_long_ends_with_2013_and_ends_the_session(
    connect: Connect, transport: str
) -> None:
    connection = connect(transport, read_timeout=SHORT)
    cursor = connection.cursor()
    cursor.execute("SELECT SLEEP(0.1)")
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        cursor.execute("SELECT SLEEP(30)")
    assert caught.value.args[0] == 2013
    assert "timed out" in caught.value.args[1]
    assert is_over(connection)


def test_the_answer_of_a_timed_out_query_is_never_taken_for_another(
    connect: Connect, proxy: FaultProxy
) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=SHORT)
    cursor = connection.cursor()
    with pytest.raises(forksafe.OperationalError):
        cursor.execute("SELECT SLEEP(0.6), 'the late answer'")
    time.sleep(0.4)
    assert is_over(connection)


def test_a_query_ends_when_a_server_drips(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=SHORT)
    proxy.slice(1)
    proxy.delay(100)
    # The definition of the one column has some thirty bytes: three seconds.
    with takes(SHORT, 2 * SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        connection.cursor().execute("SELECT 1")
    assert caught.value.args[0] == 2013
    assert is_over(connection)


@pytest.mark.parametrize(
    "sql",
    ["SELECT " + ", ".join(f"{n} AS c{n}" for n in range(99)), "SELECT seq FROM seq_1_to_300"],
    ids=["columns", "rows"],
)
def test_an_answer_whose_packets_drip_ends_as_one(
    connect: Connect, proxy: FaultProxy, sql: str
) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=SHORT)
    proxy.slice(1)
    proxy.delay(10)
    # No packet of it takes as long as the time-out, and all of them together half a minute.
    with takes(SHORT, 10), pytest.raises(forksafe.OperationalError) as caught:
        connection.cursor().execute(sql)
    assert caught.value.args[0] == 2013
    assert is_over(connection)


def test_a_long_result_that_flows_is_not_cut_off(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=SHORT)
    proxy.slice(100_000)
    proxy.delay(30)
    cursor = connection.cursor()
    with takes(2 * SHORT, 10):
        cursor.execute("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_4000")
    assert sum(number for number, _ in cursor.fetchall()) == 4000 * 4001 // 2


def test_a_send_that_nobody_takes_ends_with_write_timeout(
    connect: Connect, proxy: FaultProxy, server: Server
) -> None:
    with server.variables(max_allowed_packet=64 * 1024 * 1024):
        connection = connect(host=proxy.host, port=proxy.port, write_timeout=SHORT)
    proxy.hang()
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.OperationalError) as caught:
        connection.cursor().execute("SELECT LENGTH(%s)", ("x" * 30_000_000,))
    # Part of the statement was sent, yet never whole: it cannot have run, but nobody may know.
    assert caught.value.args[0] == 2013
    assert "timed out" in caught.value.args[1]
    assert is_over(connection)


def test_without_time_outs_a_query_waits(connect: Connect) -> None:
    cursor = connect().cursor()
    with takes(1.2, 1.2 + SLACK):
        cursor.execute("SELECT SLEEP(1.2)")
    assert cursor.fetchone() == (0,)


def test_a_statement_to_a_session_that_had_died_is_2006_and_was_not_sent(
    connect: Connect, transport: str, server: Server
) -> None:
    connection = connect(transport, autocommit=True)
    server.kill_session(connection.thread_id())
    time.sleep(0.15)
    with pytest.raises(forksafe.OperationalError, match="gone away") as caught:
        connection.cursor().execute("SELECT 1")
    assert caught.value.args[0] == 2006
    assert is_over(connection)


def test_a_pool_lends_no_connection_that_has_timed_out(make_pool: Any) -> None:
    pool = make_pool(read_timeout=SHORT, max_size=1)
    with pytest.raises(forksafe.OperationalError), pool.connection() as connection:
        first = connection.thread_id()
        connection.cursor().execute("SELECT SLEEP(30)")
    with pool.connection() as connection:
        assert connection.thread_id() != first
        connection.ping()
    assert pool.stats()["discards"]["broken"] == 1


def test_a_time_out_tells_what_the_pool_was_doing(make_pool: Any) -> None:
    pool = make_pool(max_size=2, timeout=SHORT, name="shop")
    holds, told = threading.Event(), threading.Event()

    def hold() -> None:
        with pool.connection():
            holds.set()
            told.wait(60)

    thread = threading.Thread(target=hold, name="report-7")
    thread.start()
    assert holds.wait(60)
    held = pool.connect()
    with takes(SHORT, SHORT + SLACK), pytest.raises(forksafe.PoolTimeout) as caught:
        pool.connect()
    told.set()
    thread.join()
    held.close()
    text = caught.value.args[1]
    head = f"no connection within {SHORT}s from pool 'shop' in process {os.getpid()} "
    assert text.startswith(
        head + "(2 of 2 open, 2 in use, 0 idle, 1 waiting); held longest: thread"
    )
    assert "'report-7' 0." in text
    assert "'MainThread' 0." in text
    assert "connect error" not in text
    stats = pool.stats()
    assert (stats["timeouts"], stats["requests_queued"], stats["requests_waiting"]) == (1, 1, 0)
    assert stats["requests_wait_ms"] >= SHORT * 1000
    assert isinstance(caught.value, forksafe.OperationalError)


def test_a_time_out_of_zero_takes_what_is_there(make_pool: Any) -> None:
    pool = make_pool(max_size=1)
    pool.connect().close()
    held = pool.connect(timeout=0)
    with takes(0, 0.1), pytest.raises(forksafe.PoolTimeout):
        pool.connect(timeout=0)
    held.close()
