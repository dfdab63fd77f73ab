"""Connections that SQLAlchemy has."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.pool import QueuePool

from tests.matrix.state import PATIENCE, State


class Engine(State):
    """A connection of an engine, in a transaction; SQLAlchemy's pool as the dialect makes it."""

    name = "sqlalchemy"
    engine: Any = None

    def enter(self) -> None:
        self.engine = self.make_engine()
        self.connection = self.engine.connect()
        self.mark()

    def make_engine(self, **options: Any) -> Any:
        url = self.stage.server.url(self.transport, scheme="mysql+forksafe", read_timeout=PATIENCE)
        return create_engine(
            url, pool_size=self.size, max_overflow=0, pool_timeout=PATIENCE, **options
        )

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._ask(self.connection, sql)

    def query(self) -> None:
        held = self.connection.connection.dbapi_connection
        self.assert_refused(held.cursor)
        with pytest.raises(exc.OperationalError) as caught:
            self.ask("SELECT 1")
        assert caught.value.connection_invalidated
        self.assert_names_both(caught.value.orig)

    def commit(self) -> None:
        with pytest.raises(exc.OperationalError) as caught:
            self.connection.commit()
        self.assert_names_both(caught.value.orig)

    def query_by_pool(self) -> None:
        with self.engine.connect() as own:
            assert self._ask(own, f"SELECT CONNECTION_ID() <> {self.session}") == [(1,)]

    def close_pool(self) -> None:
        self.engine.dispose()

    def drop(self) -> list[weakref.ref[Any]]:
        # The engine is not among them: SQLAlchemy keeps one that is dropped before its connection.
        dropped = weakref.ref(self.connection)
        self.connection = self.engine = None
        return [dropped]

    def fill(self) -> set[int]:
        engine = self.engine or self.make_engine()
        lent = [engine.connect() for _ in range(self.size)]
        sessions = {self._ask(own, "SELECT CONNECTION_ID()")[0][0] for own in lent}
        for own in lent:
            own.close()
        engine.dispose()
        return sessions

    def verify_counts(self, connects: int = 1) -> None:
        assert (self.engine.pool.checkedout(), self.engine.pool.overflow()) == (1, 1 - self.size)

    def leave(self) -> None:
        if self.connection:
            self.connection.close()
        if self.engine:
            self.engine.dispose()
        self.connection = self.engine = None

    @staticmethod
    def _ask(connection: Any, sql: str) -> list[tuple[Any, ...]]:
        result = connection.execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []


class StockEngine(Engine):
    """The same with SQLAlchemy's QueuePool as it is."""

    name = "queuepool"

    def make_engine(self, **options: Any) -> Any:
        return super().make_engine(poolclass=QueuePool, **options)

    def fill(self) -> set[int]:
        # A stock pool counts what the parent had lent, until it is given back here.
        if self.connection:
            self.connection.close()
        return super().fill()
