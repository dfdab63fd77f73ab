"""A fork in the middle of a stream: the child reads not a byte, the parent reads every row."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.cursors import SSCursor, SSDictCursor
from tests import fork, watched

witness = watched.witness

Connect = Callable[..., forksafe.Connection]
InChild = Callable[..., Any]

COUNT = 20_000
ROWS = f"SELECT seq, REPEAT('x', 100 + seq % 50) FROM seq_1_to_{COUNT}"


class Stream:
    """A streaming cursor of a connection, and the rows it still has to give."""

    def __init__(self, connection: forksafe.Connection) -> None:
        self.connection: Any = connection
        self.session = connection.thread_id()
        self.cursor: Any = connection.cursor(SSCursor)
        self.cursor.execute(ROWS)
        self.next = 1

    def read(self, count: int) -> None:
        """Read on, and see that no row is missing, twice there or damaged."""
        for seq, text in self.cursor.fetchmany(count):
            assert (seq, text) == (self.next, "x" * (100 + seq % 50))
            self.next += 1

    def drop(self) -> None:
        """Let go of the last references."""
        self.cursor = self.connection = None

    def assert_undisturbed(self) -> None:
        """All rows come, and the session is the same one and well."""
        self.read(COUNT)
        assert self.next == COUNT + 1
        assert self.cursor.fetchone() is None
        self.cursor.execute("SELECT CONNECTION_ID()")
        assert self.cursor.fetchall() == ((self.session,),)


@pytest.fixture
def stream(connect: Connect, transport: str) -> Stream:
    """A stream that has begun, on each transport."""
    begun = Stream(connect(transport))
    begun.read(10)
    return begun


READS: dict[str, Callable[[Any], Any]] = {
    "fetchone": lambda cursor: cursor.fetchone(),
    "fetchmany": lambda cursor: cursor.fetchmany(5),
    "fetchall": lambda cursor: cursor.fetchall(),
    "next": lambda cursor: next(cursor),
    "nextset": lambda cursor: cursor.nextset(),
    "execute": lambda cursor: cursor.execute("SELECT 1"),
    "rowcount": lambda cursor: cursor.rowcount,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_child_is_refused_with_both_processes_named(
    stream: Stream, in_child: InChild, read: Callable[[Any], Any]
) -> None:
    owner = os.getpid()

    def child() -> None:
        for _ in range(2):
            with pytest.raises(forksafe.OperationalError) as caught:
                read(stream.cursor)
            errno, text = caught.value.args
            assert errno == 2006
            assert f"process {owner}" in text
            assert f"process {os.getpid()}" in text

    in_child(child)
    stream.assert_undisturbed()


@pytest.mark.parametrize("leave", fork.WAYS_TO_LEAVE)
@pytest.mark.parametrize("end", ["close", "with", "drop", "close the connection", "nothing"])
def test_a_child_that_ends_it_says_and_takes_nothing(
    connect: Connect, witness: watched.Witness, in_child: InChild, end: str, leave: str
) -> None:
    stream, aborted = Stream(connect()), witness.aborted_clients()
    stream.read(10)

    def child() -> None:
        warnings.simplefilter("error")
        if end == "close":
            stream.cursor.close()
        elif end == "with":
            with stream.cursor:
                pass
        elif end == "drop":
            stream.drop()
            gc.collect()
        elif end == "close the connection":
            stream.connection.rollback()
            stream.connection.close()

    in_child(child, leave=leave)
    stream.assert_undisturbed()
    assert witness.aborted_clients() == aborted


def test_garbage_that_a_child_collects_reads_nothing(stream: Stream, in_child: InChild) -> None:
    class Circle:
        def __init__(self) -> None:
            self.me, self.cursor = self, stream.cursor

    Circle()

    def child() -> None:
        stream.drop()
        gc.unfreeze()
        gc.collect()

    in_child(child)
    stream.assert_undisturbed()


def test_forks_anywhere_in_a_stream_leave_it_whole(stream: Stream, in_child: InChild) -> None:
    def child() -> None:
        stream.cursor.close()
        stream.drop()
        gc.collect()

    for _ in range(12):
        stream.read(COUNT // 20 + 7)
        in_child(child)
    stream.assert_undisturbed()


def test_a_childs_own_stream_runs_beside_its_parents(make_pool: Any, in_child: InChild) -> None:
    pool = make_pool(max_size=1)
    with pool.connection() as connection:
        stream = Stream(connection)
        stream.read(1000)

        def child() -> int:
            with pool.connection() as own, own.cursor(SSDictCursor) as cursor:
                assert own.thread_id() != stream.session
                cursor.execute(ROWS)
                return sum(row["seq"] for row in cursor)

        assert in_child(child) == COUNT * (COUNT + 1) // 2
        stream.assert_undisturbed()
    assert pool.stats()["connections_num"] == 1
