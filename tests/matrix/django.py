"""Connections that Django has."""

from __future__ import annotations

import weakref
from typing import Any

from tests.matrix.stage import Stage
from tests.matrix.state import State, ask


class Django(State):
    """A wrapper that keeps its connection, in a transaction.

    In a child the wrapper starts anew and only the connection below it refuses.
    """

    name = "django"
    has_pool = False
    wrapper: Any = None

    def __init__(self, stage: Stage, transport: str) -> None:
        super().__init__(stage, transport)
        stage.use_django()

    def enter(self) -> None:
        self.wrapper = self.make_wrapper()
        self.wrapper.set_autocommit(False)
        self.connection = self.wrapper.connection
        self.mark()

    def make_wrapper(self) -> Any:
        from django.db import connections
        from django.db.utils import load_backend

        from tests.djangosite.settings import database

        alias = f"matrix_{self.name}_{self.transport}"
        entry = database(self.stage.server, self.transport, **self.changes())
        entry["NAME"] = self.stage.server.database
        settings = connections.configure_settings({"default": {}, alias: entry})
        wrapper = load_backend(entry["ENGINE"]).DatabaseWrapper(settings[alias], alias)
        wrapper.inc_thread_sharing()  # the child may have been forked by another thread
        return wrapper

    def changes(self) -> dict[str, Any]:
        """Of the entry of DATABASES."""
        return {"CONN_MAX_AGE": None}

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._ask(self.wrapper, sql)

    def query(self) -> None:
        super().query()
        assert self.ask(f"SELECT CONNECTION_ID() <> {self.session}") == [(1,)]

    def commit(self) -> None:
        super().commit()
        self.wrapper.commit()

    def rollback(self) -> None:
        super().rollback()
        self.wrapper.rollback()

    def close(self) -> None:
        super().close()
        self.wrapper.close()

    def drop(self) -> list[weakref.ref[Any]]:
        dropped = [weakref.ref(each) for each in (self.connection, self.wrapper) if each]
        self.connection = self.wrapper = None
        return dropped

    def fill(self) -> set[int]:
        wrappers = [self.wrapper or self.make_wrapper()]
        wrappers += [self.make_wrapper() for _ in range(self.size - 1)]
        sessions = {self._ask(own, "SELECT CONNECTION_ID()")[0][0] for own in wrappers}
        for own in wrappers:
            own.close()
        self.close_wrappers_pool(wrappers[0])
        return sessions

    def close_wrappers_pool(self, wrapper: Any) -> None:
        """Close the pool of the alias, if it has one."""
        wrapper.close_pool(force=True)

    def verify_counts(self, connects: int = 1) -> None:
        assert self.wrapper.connection is self.connection

    def leave(self) -> None:
        if self.wrapper:
            self.wrapper.close()
            self.close_wrappers_pool(self.wrapper)
        self.connection = self.wrapper = None

    @staticmethod
    def _ask(wrapper: Any, sql: str) -> list[tuple[Any, ...]]:
        with wrapper.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []


class DjangoPool(Django):
    """The same with OPTIONS["pool"]."""

    name = "django_pool"
    has_pool = True

    def changes(self) -> dict[str, Any]:
        return {"OPTIONS": {"pool": {"max_size": self.size, "timeout": 5}}}

    def query_by_pool(self) -> None:
        with self.wrapper.pool.connection() as own:
            assert ask(own, f"SELECT CONNECTION_ID() <> {self.session}") == [(1,)]

    def close_pool(self) -> None:
        self.close_wrappers_pool(self.wrapper)

    def verify_counts(self, connects: int = 1) -> None:
        super().verify_counts()
        assert self.wrapper.pool.stats()["connections_num"] == connects
