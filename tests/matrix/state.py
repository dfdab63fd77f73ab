"""What a parent holds when it forks, and what must still be true of it afterwards."""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests.matrix.stage import Stage

TOKENS = itertools.count(1)
UNCOMMITTED = (1, 2)
PATIENCE = 20  # seconds for an answer; the server gives none when a child has got it


class State:
    """A connection with a session variable and, unless `rows` is empty, uncommitted rows.

    Here it is lent by a pool. Nothing else refers to what it holds: a child that calls `drop`
    drops it.
    """

    name = ""
    rows: tuple[int, ...] = UNCOMMITTED
    size = 2
    has_pool = True
    #: Whether a thread of the parent has frames that refer to the connection or the pool too.
    has_threads = False
    #: Whether such threads run Python or hold locks of C while the parent forks.
    has_running_threads = False

    def __init__(self, stage: Stage, transport: str) -> None:
        self.stage, self.witness, self.transport = stage, stage.witness, transport
        self.owner, self.token = os.getpid(), next(TOKENS)
        self.pool: Any = None
        self.connection: Any = None

    # The parent, before the fork.

    def enter(self) -> None:
        """Come into the state."""
        self.pool = self.make_pool()
        self.connection = self.pool.connect()
        self.mark()

    def make_pool(self) -> forksafe.Pool:
        """A pool with this state's options."""
        return forksafe.Pool(**self.options(), max_size=self.size, timeout=PATIENCE)

    def options(self) -> dict[str, Any]:
        """How to connect."""
        return self.stage.server.connect_kwargs(self.transport, read_timeout=PATIENCE)

    def mark(self) -> None:
        """Give the session what it must not lose."""
        self.ask(f"SET @x = {self.token}")
        [(self.session,)] = self.ask("SELECT CONNECTION_ID()")
        if self.rows:
            self.insert(*self.rows)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that a statement gives on the connection."""
        return ask(self.connection, sql)

    def insert(self, *rows: int) -> None:
        """Insert rows of this cell, on the connection."""
        values = ", ".join(f"({self.token}, {row})" for row in rows)
        self.ask(f"INSERT INTO {self.stage.table} VALUES {values}")

    # The child. What it inherited answers as one error that names both processes, or not at all.

    def query(self) -> None:
        """Ask the inherited connection for what would need the server."""
        self.assert_refused(self.connection.cursor)
        self.assert_refused(self.connection.ping)
        cursor = forksafe.Cursor(self.connection)
        self.assert_refused(lambda: cursor.execute("SELECT 1"))
        with pytest.raises(forksafe.InterfaceError, match=f"process {self.owner}"):
            self.connection.fileno()

    def commit(self) -> None:
        """Commit the inherited connection."""
        self.assert_refused(self.connection.commit)

    def rollback(self) -> None:
        """Roll the inherited connection back."""
        self.connection.rollback()

    def close(self) -> None:
        """Close the inherited connection."""
        self.connection.close()

    def query_by_pool(self) -> None:
        """Ask something by way of the inherited pool."""
        with self.pool.connection() as own:
            assert ask(own, f"SELECT {self.token}, CONNECTION_ID() <> {self.session}") == [
                (self.token, 1)
            ]

    def close_pool(self) -> None:
        """Close the inherited pool."""
        self.pool.close()
        with pytest.raises(forksafe.PoolClosed):
            self.pool.connect()
        self.pool = None

    def drop(self) -> list[weakref.ref[Any]]:
        """Let go of connection and pool; what refers to them weakly."""
        dropped = [weakref.ref(each) for each in (self.connection, self.pool) if each]
        self.connection = self.pool = None
        return dropped

    def work(self) -> set[int]:
        """Work at full size on sessions of the child's own; their ids."""
        sessions = self.fill()
        assert len(sessions) == self.size
        return sessions

    def fill(self) -> set[int]:
        """Have as many connections at once as the pool lends, and give all back; their sessions.

        By the inherited pool, if the child has not closed or dropped it.
        """
        pool = self.pool or self.make_pool()
        lent = [pool.connect() for _ in range(self.size)]
        with pytest.raises(forksafe.PoolTimeout):
            pool.connect(timeout=0)
        sessions = {ask(own, "SELECT CONNECTION_ID()")[0][0] for own in lent}
        for own in lent:
            own.close()
        pool.close()
        return sessions

    def assert_refused(self, use: Callable[[], object]) -> None:
        """`use` raises 2006, and names the process that opened it and this one."""
        with pytest.raises(forksafe.Error) as caught:
            use()
        self.assert_names_both(caught.value)

    def assert_names_both(self, error: Any) -> None:
        """`error` is an OperationalError 2006 that names both processes."""
        assert type(error) is forksafe.OperationalError
        number, text = error.args
        assert number == 2006
        assert f"process {self.owner}" in text
        assert f"process {os.getpid()}" in text

    # The parent, after its children have ended.

    def verify(self) -> None:
        """Raise AssertionError unless everything is as it was, and goes on."""
        assert self.session in self.witness.sessions(), "the parent's session has ended"
        assert self.stage.rows(self.token) == [], "uncommitted rows are seen by others"
        self.go_on()
        assert self.ask("SELECT CONNECTION_ID(), @x") == [(self.session, self.token)]
        self.insert(3)
        rows = [*self.rows, 3]
        mine = f"SELECT id FROM {self.stage.table} WHERE token = {self.token} ORDER BY id"
        assert [row[0] for row in self.ask(mine)] == rows
        self.connection.commit()
        assert self.stage.rows(self.token) == rows
        self.verify_counts()

    def go_on(self) -> None:
        """Go on with what the fork interrupted."""

    def verify_counts(self, connects: int = 1) -> None:
        """The parent's pool has replaced no connection."""
        assert self.pool.stats()["connections_num"] == connects

    def leave(self) -> None:
        """Give everything back; also after a failure, in whatever state."""
        if self.connection:
            self.connection.close()
        if self.pool:
            self.pool.close()
        self.connection = self.pool = None


def ask(connection: forksafe.Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows that a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []
