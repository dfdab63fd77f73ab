"""What a parent's session has prepared is not touched by a child, and stays prepared."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.prepared import ask, counted
from tests.watched import Witness

witness = watched.witness

Connect = Callable[..., forksafe.Connection]
InChild = Callable[..., Any]


class Parent:
    """A connection with cached statements, and a prepared cursor on it."""

    def __init__(self, connection: forksafe.Connection, witness: Witness) -> None:
        self.witness, self.pid = witness, os.getpid()
        self.aborted = witness.aborted_clients()
        self.connection: Any = connection
        for number in range(3):
            ask(connection, f"SELECT %s, {number}", (number,))
        self.cursor: Any = connection.cursor(prepared=True)
        self.cursor.execute("SELECT %s, 0", (0,))
        self.session = connection.thread_id()

    def assert_undisturbed(self) -> None:
        for number in range(3):
            assert ask(self.connection, f"SELECT %s, {number}", (8,)) == ((8, number),)
        self.cursor.execute("SELECT %s, 0", (9,))
        assert self.cursor.fetchall() == ((9, 0),)
        assert counted(self.connection, "prepare") == 3
        assert counted(self.connection, "close") == 0
        assert self.connection.thread_id() == self.session
        assert self.session in self.witness.sessions()
        assert self.witness.aborted_clients() == self.aborted


def does_nothing(parent: Parent) -> None:
    pass


def executes(parent: Parent) -> None:
    for use in (
        lambda: parent.cursor.execute("SELECT %s, 0", (1,)),
        lambda: parent.cursor.executemany("SELECT %s, 0", [(1,)]),
        lambda: parent.connection.cursor(prepared=True),
        lambda: forksafe.Cursor(parent.connection, prepared=True).execute("SELECT 1"),
    ):
        with pytest.raises(forksafe.OperationalError) as caught:
            use()
        errno, text = caught.value.args
        assert errno == 2006
        assert f"process {parent.pid}" in text
        assert f"process {os.getpid()}" in text


def closes(parent: Parent) -> None:
    parent.cursor.close()
    parent.connection.rollback()
    parent.connection.close()


def collects(parent: Parent) -> None:
    dropped = [weakref.ref(parent.cursor), weakref.ref(parent.connection)]
    parent.cursor = parent.connection = None
    gc.collect()
    assert [reference() for reference in dropped] == [None, None]


@pytest.mark.parametrize("leave", fork.WAYS_TO_LEAVE)
@pytest.mark.parametrize("act", [does_nothing, executes, closes])
def test_a_parents_statements_outlive_its_child(
    connect: Connect,
    in_child: InChild,
    witness: Witness,
    transport: str,
    act: Callable[[Parent], None],
    leave: str,
) -> None:
    parent = Parent(connect(transport), witness)
    in_child(act, parent, leave=leave)
    parent.assert_undisturbed()


def test_a_child_that_drops_a_prepared_connection_says_nothing(
    connect: Connect, in_child: InChild, witness: Witness, transport: str
) -> None:
    parent = Parent(connect(transport), witness)
    in_child(collects, parent)
    parent.assert_undisturbed()


def test_a_childs_own_session_prepares_for_itself(
    connect: Connect, in_child: InChild, witness: Witness
) -> None:
    parent = Parent(connect(), witness)

    def prepares() -> int:
        own = connect()
        assert ask(own, "SELECT %s, 0", (5,)) == ((5, 0),)
        prepared = counted(own, "prepare")
        own.close()
        return prepared

    assert in_child(prepares) == 1
    parent.assert_undisturbed()
