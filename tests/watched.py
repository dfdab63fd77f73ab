"""A parent's connection, and what must still be true of it after a child.

A test module that wants its fixtures says `watch, witness = watched.watch, watched.witness`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from scripts.mariadb_server import Server

if TYPE_CHECKING:
    import forksafe

STATES = ("idle", "lent", "in_transaction", "unread_answers")
TOKENS = itertools.count(1000)
ROWS = [(1,), (2,)]
ANSWER = ((1, "answer"),)

# The first answer is read before the fork; the others reach the socket while the child lives.
SEVERAL = "SELECT 1; SELECT SLEEP(0.02), REPEAT('x', 100000); SELECT 3"


class Witness:
    """Asks the server through another driver, so that the one under test is not its own witness."""

    def __init__(self, server: Server) -> None:
        account = {name: getattr(server, name) for name in ("host", "port", "user", "password")}
        self.connection = pymysql.connect(
            database=server.database, unix_socket=server.unix_socket, autocommit=True, **account
        )
        self.is_mariadb = server.is_mariadb

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that `sql` gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def sessions(self) -> set[int]:
        """The other open sessions of the user."""
        where = "ID <> CONNECTION_ID() AND USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"
        return {
            row[0]
            for row in self.ask(f"SELECT ID FROM information_schema.PROCESSLIST WHERE {where}")
        }

    def aborted_clients(self) -> int:
        """How many sessions ended without a goodbye."""
        return int(self.ask("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")[0][1])

    def hold_a_lock(self) -> str:
        """A statement that another session can start and not end, until `release_locks`."""
        name = f"lock{os.getpid()}_{next(TOKENS)}"
        assert self.ask(f"SELECT GET_LOCK('{name}', 0)") == [(1,)]
        return f"SELECT GET_LOCK('{name}', 10), 'answer'"

    def release_locks(self) -> None:
        """Let those who wait in `hold_a_lock`'s statements go on: their answer is ANSWER."""
        self.ask("SELECT RELEASE_ALL_LOCKS()")

    def wait_until_waiting(self, session: int) -> None:
        """Until `session` is in the middle of a statement of `hold_a_lock`."""
        where = f"ID = {session} AND STATE = 'User lock'"
        deadline = time.monotonic() + 10
        while not self.ask(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE {where}"):
            assert time.monotonic() < deadline, "the statement does not reach the server"
            time.sleep(0.002)

    def wait_until_quiet(self) -> None:
        """Let the sessions of earlier tests end, or they would be counted as aborted later."""
        deadline = time.monotonic() + 1
        while self.sessions() and time.monotonic() < deadline:
            time.sleep(0.002)


class Watched:
    """One connection of a pool, in one of STATES.

    Nothing else refers to `connection` and `pool`: a child that calls `drop` drops them.
    """

    def __init__(self, state: str, witness: Witness, pool: forksafe.Pool, table: str) -> None:
        self.state, self.witness, self.table = state, witness, table
        self.aborted_before = witness.aborted_clients()
        self.pool: Any = pool
        self.connection: Any = pool.connect()
        self.cursor: Any = None
        self.token = next(TOKENS)
        with self.connection.cursor() as cursor:
            cursor.execute("SET @x = %s", (self.token,))
            cursor.execute("SELECT CONNECTION_ID()")
            self.session = cursor.fetchone()[0]
            if state == "in_transaction":
                cursor.executemany(f"INSERT INTO {table} VALUES (%s)", ROWS)
        if state == "unread_answers":
            self.cursor = self.connection.cursor()
            self.cursor.execute(SEVERAL)
        if state == "idle":
            self.connection = self.connection.close()

    def drop(self) -> None:
        """Let go of the last references to connection and pool."""
        self.cursor = self.connection = self.pool = None

    def assert_undisturbed(self, connects: int = 1) -> None:
        """The same session, its variable, its answers, its rows; which are then committed.

        The parent's pool has made `connects` connections in all.
        """
        assert self.session in self.witness.sessions()
        assert self._rows_for_others() == []
        if self.state == "idle":
            self.connection = self.pool.connect()
        if self.state == "unread_answers":
            self._read_on()
        assert self.connection.in_transaction == (self.state == "in_transaction")
        rows = [*ROWS, (3,)] if self.state == "in_transaction" else [(3,)]
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID(), @x")
            assert cursor.fetchone() == (self.session, self.token)
            cursor.execute(f"INSERT INTO {self.table} VALUES (3)")
            cursor.execute(f"SELECT id FROM {self.table} ORDER BY id")
            assert list(cursor.fetchall()) == rows
        self.connection.commit()
        assert self._rows_for_others() == rows
        self.connection.close()
        assert self.pool.stats()["connections_num"] == connects
        assert self.witness.aborted_clients() == self.aborted_before

    def _read_on(self) -> None:
        assert self.cursor.nextset()
        assert self.cursor.fetchall() == ((0, "x" * 100000),)
        assert self.cursor.nextset()
        assert self.cursor.fetchall() == ((3,),)
        assert not self.cursor.nextset()

    def _rows_for_others(self) -> list[tuple[Any, ...]]:
        return self.witness.ask(f"SELECT id FROM {self.table} ORDER BY id")


@pytest.fixture
def witness(server: Server) -> Iterator[Witness]:
    """Another driver's view of the server."""
    witness = Witness(server)
    witness.wait_until_quiet()
    yield witness
    witness.connection.close()  # not by `with`: a child that is finalised would say goodbye


@pytest.fixture
def watch(
    witness: Witness, make_pool: Callable[..., forksafe.Pool]
) -> Iterator[Callable[..., Watched]]:
    """`watch(state, transport="tcp", **options)`: a connection of a pool of two to fork beside."""
    tables = []

    def make(state: str, transport: str = "tcp", **options: Any) -> Watched:
        table = f"watched{os.getpid()}_{next(TOKENS)}"
        witness.ask(f"CREATE TABLE {table} (id INT PRIMARY KEY) ENGINE=InnoDB")
        tables.append(table)
        pool = make_pool(transport, **{"max_size": 2, "timeout": 5.0, **options})
        return Watched(state, witness, pool, table)

    yield make
    witness.ask("SET lock_wait_timeout = 1")
    for table in tables:
        with contextlib.suppress(pymysql.OperationalError):  # a test that failed may hold a lock
            witness.ask(f"DROP TABLE {table}")
