"""A child never hangs, whenever and by whichever thread it was forked."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from tests.proxy import FaultProxy

# Python 3.12+ warns of every fork beside threads; they are the point here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

InChild = Callable[..., Any]
Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]

FORKS = 25
THREADS = 6


@contextlib.contextmanager
def threads(act: Callable[[int], None], count: int = THREADS) -> Iterator[None]:
    """Let `count` threads repeat `act(turn)` during the block; their first error is raised."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def repeat() -> None:
        try:
            for turn in itertools.count():
                if stop.is_set():
                    return
                act(turn)
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=repeat) for _ in range(count)]
    for thread in running:
        thread.start()
    yield
    stop.set()
    for thread in running:
        thread.join(20)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


@contextlib.contextmanager
def background(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run `act` beside the block; its result or error is in the list afterwards."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(act())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield outcome
    thread.join(20)
    assert not thread.is_alive()


def echo(connection: forksafe.Connection, value: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", (value,))
        return cursor.fetchall()[0][0]


def borrow_and_echo(pool: forksafe.Pool) -> None:
    value = threading.get_ident()
    with pool.connection() as connection:
        assert echo(connection, value) == value


def use_at_full_size(pool: forksafe.Pool) -> None:
    connections = [pool.connect() for _ in range(pool.stats()["pool_max"])]
    for value, connection in enumerate(connections):
        assert echo(connection, value) == value
        connection.close()
    pool.close()


def test_a_fork_while_threads_fight_over_the_pool(
    make_pool: MakePool, in_child: InChild, transport: str
) -> None:
    pool = make_pool(transport, max_size=2, timeout=10)
    with threads(lambda _: borrow_and_echo(pool)):
        for _ in range(FORKS):
            in_child(use_at_full_size, pool)
    assert pool.stats()["in_use"] == 0


def test_a_fork_while_threads_open_and_close_connections(
    connect: Connect, make_pool: MakePool, in_child: InChild, transport: str
) -> None:
    pool = make_pool(transport, max_size=2)
    with threads(lambda turn: connect(transport).close(), count=3):
        for _ in range(FORKS):
            in_child(use_at_full_size, pool)


def test_a_fork_while_threads_read_rows_as_they_come(
    make_pool: MakePool, in_child: InChild, transport: str
) -> None:
    pool = make_pool(transport, max_size=3)

    def read(turn: int) -> None:
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT seq, REPEAT('x', 300), NOW() FROM seq_1_to_2000")
            assert len(cursor.fetchall()) == 2000

    with threads(read, count=3):
        for _ in range(FORKS // 2):
            in_child(use_at_full_size, pool)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_fork_while_a_thread_is_connecting(
    connect: Connect, proxy: FaultProxy, in_child: InChild, transport: str, leave: str
) -> None:
    slow = {"host": proxy.host, "port": proxy.port}
    proxy.hang()
    with background(lambda: connect(transport, **slow)) as outcome:
        in_child(lambda: echo(connect(transport), 1), leave=leave)
        assert outcome == []
        proxy.pass_()
        proxy.delay(60)  # each of the messages of a log-in
        while not outcome:
            in_child(lambda: echo(connect(transport), 1), leave=leave)
    assert echo(outcome[0], 2) == 2


def test_forks_by_several_threads_at_once(make_pool: MakePool, in_child: InChild) -> None:
    pool = make_pool(max_size=2)

    def fork_and_borrow(turn: int) -> None:
        borrow_and_echo(pool)
        in_child(use_at_full_size, pool)

    with threads(fork_and_borrow, count=3):
        time.sleep(0.5)
