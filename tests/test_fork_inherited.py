"""What an inherited connection answers in a child: one clear error, or silence. Never I/O."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.watched import Watched

watch, witness = watched.watch, watched.witness

InChild = Callable[..., Any]
Watch = Callable[..., Watched]
Use = Callable[[forksafe.Connection], Any]

LENT_STATES = ("lent", "in_transaction", "unread_answers")

# Each would need the server.
REFUSED: dict[str, Use] = {
    "cursor": lambda connection: connection.cursor(),
    "execute": lambda connection: forksafe.Cursor(connection).execute("SELECT 1"),
    "commit": lambda connection: connection.commit(),
    "ping": lambda connection: connection.ping(),
    "begin": lambda connection: connection.begin(),
    "autocommit": lambda connection: connection.autocommit(True),
    "select_db": lambda connection: connection.select_db("forksafe"),
    "show_warnings": lambda connection: connection.show_warnings(),
    "thread_id": lambda connection: connection.thread_id(),
}

# Each ends or only looks, so that whatever a child unwinds stays silent.
SILENT: dict[str, Use] = {
    "rollback": lambda connection: connection.rollback(),
    "close": lambda connection: connection.close(),
    "with": lambda connection: connection.__exit__(None, None, None),
    "open": lambda connection: connection.open,
    "probe": lambda connection: connection.probe(),
    "holds": lambda connection: connection.holds,
    "repr": lambda connection: repr(connection),
}


def assert_names_both_processes(error: forksafe.Error, owner: int) -> None:
    assert type(error) is forksafe.OperationalError
    errno, text = error.args
    assert errno == 2006
    assert owner != os.getpid()
    assert f"process {owner}" in text
    assert f"process {os.getpid()}" in text


@pytest.mark.parametrize("use", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("state", LENT_STATES)
def test_what_needs_the_server_answers_2006_and_names_both_processes(
    watch: Watch, in_child: InChild, state: str, use: Use
) -> None:
    parent, owner = watch(state), os.getpid()

    def child() -> None:
        for _ in range(2):
            with pytest.raises(forksafe.Error) as caught:
                use(parent.connection)
            assert_names_both_processes(caught.value, owner)

    in_child(child)
    parent.assert_undisturbed()


@pytest.mark.parametrize("use", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("state", LENT_STATES)
def test_what_ends_it_or_only_looks_is_silent(
    watch: Watch, in_child: InChild, state: str, use: Use
) -> None:
    parent = watch(state)
    in_child(lambda: [bool(use(parent.connection)) for _ in range(2)])
    parent.assert_undisturbed()


def test_it_is_inherited_and_not_open_in_the_child_only(watch: Watch, in_child: InChild) -> None:
    parent = watch("lent")

    def state() -> tuple[bool, bool, bool]:
        connection = parent.connection
        return connection.inherited, connection.open, connection.probe()

    assert in_child(state) == (True, False, False)
    assert state() == (False, True, True)
    parent.assert_undisturbed()


def test_it_stays_inherited_after_the_child_closed_it(watch: Watch, in_child: InChild) -> None:
    parent, owner = watch("lent"), os.getpid()

    def child() -> None:
        parent.connection.close()
        assert parent.connection.inherited
        with pytest.raises(forksafe.Error) as caught:
            parent.connection.ping()
        assert_names_both_processes(caught.value, owner)

    in_child(child)
    parent.assert_undisturbed()


def test_a_connection_closed_before_the_fork_is_inherited_too(
    connect: Callable[..., forksafe.Connection], in_child: InChild
) -> None:
    connection = connect()
    connection.close()
    assert in_child(lambda: (connection.inherited, connection.open)) == (True, False)
    assert (connection.inherited, connection.open) == (False, False)


def test_it_has_no_descriptor_in_the_child(watch: Watch, in_child: InChild) -> None:
    parent, owner = watch("lent"), os.getpid()

    def child() -> None:
        with pytest.raises(forksafe.InterfaceError, match=f"process {owner}"):
            parent.connection.fileno()

    in_child(child)
    parent.assert_undisturbed()


@pytest.mark.parametrize("read", ["fetchone", "fetchall", "nextset"])
def test_a_cursor_over_it_answers_2006(watch: Watch, in_child: InChild, read: str) -> None:
    parent, owner = watch("unread_answers"), os.getpid()

    def child() -> None:
        with pytest.raises(forksafe.Error) as caught:
            getattr(parent.cursor, read)()
        assert_names_both_processes(caught.value, owner)
        parent.cursor.close()

    in_child(child)
    parent.assert_undisturbed()


def test_a_grandchild_is_told_who_opened_it(watch: Watch, in_child: InChild) -> None:
    parent, owner = watch("in_transaction"), os.getpid()

    def grandchild() -> None:
        with pytest.raises(forksafe.Error) as caught:
            parent.connection.cursor()
        assert_names_both_processes(caught.value, owner)

    in_child(lambda: fork.in_child(grandchild))
    parent.assert_undisturbed()


def test_it_goes_without_a_word(
    watch: Watch, in_child: InChild, capfd: pytest.CaptureFixture[str]
) -> None:
    parent = watch("unread_answers")

    def child() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parent.drop()

    capfd.readouterr()
    in_child(child)
    assert capfd.readouterr() == ("", "")
    parent.assert_undisturbed()


@pytest.mark.parametrize("leave", ["sys.exit", "exception"])
def test_blocks_that_a_child_unwinds_neither_commit_nor_roll_back(
    watch: Watch, witness: watched.Witness, in_child: InChild, transport: str, leave: str
) -> None:
    pool, table = (parent := watch("idle", transport)).pool, parent.table
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1)")
        in_child(os.getpid, leave=leave)
        assert witness.ask(f"SELECT id FROM {table}") == []
        cursor.execute(f"INSERT INTO {table} VALUES (2)")
    assert witness.ask(f"SELECT id FROM {table} ORDER BY id") == [(1,), (2,)]
    assert pool.stats()["connections_num"] == 1
