"""Ctrl-C ends a wait within a second, and any other signal handler runs while it goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe

Connect = Callable[..., forksafe.Connection]
SOON = 0.3  # seconds until the signal comes
PROMPT = 1.0  # seconds within which a wait must end after it

# To the process, as by a terminal: the kernel may give it to any thread. To the main thread: it
# interrupts the system call that waits. In the first case nothing but a look around helps.
SENDERS = {
    "process": lambda number: os.kill(os.getpid(), number),
    "thread": lambda number: signal.pthread_kill(threading.main_thread().ident or 0, number),
}


class Raised(Exception):
    """What a signal handler of a program raises."""


@contextlib.contextmanager
def handler(number: int, handle: Callable[..., Any]) -> Iterator[None]:
    """Handle a signal in the block."""
    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.fixture(params=SENDERS)
def send(request: pytest.FixtureRequest) -> Iterator[Callable[[int], None]]:
    """`send(signal)`: to this process, in a moment. Nothing comes after the test."""
    timers: list[threading.Timer] = []

    def later(number: int) -> None:
        timers.append(threading.Timer(SOON, SENDERS[request.param], (number,)))
        timers[-1].start()

    # A process that was started in the background may ignore Ctrl-C.
    with handler(signal.SIGINT, signal.default_int_handler):
        yield later
        for timer in timers:
            timer.cancel()
            timer.join()


@contextlib.contextmanager
def ends_promptly() -> Iterator[None]:
    """The block ends soon after the signal, and not before."""
    started = time.monotonic()
    yield
    assert SOON - 0.05 <= time.monotonic() - started <= SOON + PROMPT


def test_ctrl_c_ends_a_query(connect: Connect, transport: str, send: Any) -> None:
    connection = connect(transport)
    send(signal.SIGINT)
    with ends_promptly(), pytest.raises(KeyboardInterrupt):
        connection.cursor().execute("SELECT SLEEP(30)")
    # Its answer may still come: it must not be taken for the answer to another query.
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.cursor().execute("SELECT 1")
    assert caught.value.args[0] == 2006


def test_ctrl_c_ends_the_wait_for_a_pool(make_pool: Any, send: Any) -> None:
    pool = make_pool(max_size=1)
    held = pool.connect()
    send(signal.SIGINT)
    with ends_promptly(), pytest.raises(KeyboardInterrupt):
        pool.connect()
    assert pool.stats()["requests_waiting"] == 0
    held.close()
    with pool.connection(timeout=1) as connection:
        connection.ping()


def test_ctrl_c_ends_a_connect(send: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        send(signal.SIGINT)
        with ends_promptly(), pytest.raises(KeyboardInterrupt):
            forksafe.connect(host="127.0.0.1", port=listener.getsockname()[1])


def test_ctrl_c_ends_a_ping_of_the_pool(make_pool: Any, proxy: Any, send: Any) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port, ping_after=0.01, timeout=60)
    pool.connect().close()
    time.sleep(0.05)
    proxy.hang()
    send(signal.SIGINT)
    with ends_promptly(), pytest.raises(KeyboardInterrupt):
        pool.connect()
    assert pool.stats()["in_use"] == 0


def test_ctrl_c_ends_a_check_in(make_pool: Any, proxy: Any, send: Any) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port)
    connection = pool.connect()
    connection.begin()
    proxy.hang()
    send(signal.SIGINT)
    with ends_promptly(), pytest.raises(KeyboardInterrupt):
        connection.close()
    assert pool.stats()["pool_size"] == 0


def test_another_signals_handler_runs_at_once_and_the_query_goes_on(
    connect: Connect, transport: str, send: Any
) -> None:
    cursor = connect(transport).cursor()
    ran: list[float] = []
    with handler(signal.SIGUSR1, lambda *_: ran.append(time.monotonic())):
        send(signal.SIGUSR1)
        started = time.monotonic()
        cursor.execute("SELECT SLEEP(0.6), 'whole'")
        ended = time.monotonic()
    assert cursor.fetchone() == (0, "whole")
    assert len(ran) == 1
    assert ran[0] - started < SOON + 0.25
    assert ended - started >= 0.6


def test_what_a_handler_raises_comes_out_of_the_query(connect: Connect, send: Any) -> None:
    connection = connect()

    def raises(*_: object) -> None:
        raise Raised("too long")

    with handler(signal.SIGUSR1, raises):
        send(signal.SIGUSR1)
        with ends_promptly(), pytest.raises(Raised, match="too long"):
            connection.cursor().execute("SELECT SLEEP(30)")
    with pytest.raises(forksafe.OperationalError):
        connection.ping()


def test_a_handler_that_uses_the_connection_is_refused_and_cannot_hang(
    connect: Connect, send: Any
) -> None:
    connection = connect()
    refused: list[BaseException] = []

    def uses(*_: object) -> None:
        with pytest.raises(forksafe.ProgrammingError) as caught:
            connection.ping()
        refused.append(caught.value)

    with handler(signal.SIGUSR1, uses):
        send(signal.SIGUSR1)
        connection.cursor().execute("SELECT SLEEP(0.5)")
    assert len(refused) == 1
    connection.ping()


def test_a_pool_keeps_no_connection_that_was_interrupted(make_pool: Any, send: Any) -> None:
    pool = make_pool(max_size=1)
    send(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), pool.connection() as connection:
        connection.cursor().execute("SELECT SLEEP(30)")
    stats = pool.stats()
    assert (stats["pool_available"], stats["in_use"], stats["discards"]["broken"]) == (0, 0, 1)
    with pool.connection() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
