"""A long session of the parent: whatever children do, it must still be the same at the end."""

from __future__ import annotations

from typing import Any

from scripts.mariadb_server import Server
from tests.storm.counts import Counts
from tests.storm.statements import PINNED


class Pinned:
    """In a transaction, with a user variable and a named lock."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.session: int = connection.thread_id()
        self.token = f"pinned-{self.session}"
        self.rows = 0
        self._ask("SET @token = %s", self.token)
        self._ask("SELECT GET_LOCK(%s, 0)", self.token)

    def check(self, counts: Counts) -> None:
        """Whether it is the same session, with all it had; and write one more row."""
        try:
            found = self._ask("SELECT CONNECTION_ID(), @token, IS_USED_LOCK(%s)", self.token)
            self._ask(f"INSERT INTO {PINNED} VALUES ({self.session}, {self.rows})")
            self.rows += 1
            seen = self._ask(f"SELECT COUNT(*) FROM {PINNED} WHERE session = {self.session}")
        except Exception as error:
            counts.note("parent_lost", f"session {self.session}: {error}")
            return
        counts["parent_checked"] += 2
        if (found, seen) != ((self.session, self.token, self.session), (self.rows,)):
            counts.note("parent_lost", f"session {self.session}: {found}, {seen} of {self.rows}")

    def end(self, server: Server, counts: Counts) -> None:
        """Check it, see that nobody else saw its rows, commit them, and see that all do."""
        self.check(counts)
        before = self._rows_for_others(server)
        try:
            self.connection.commit()
        except Exception as error:
            counts.note("parent_lost", f"session {self.session}, commit: {error}")
        after = self._rows_for_others(server)
        if (before, after) != (0, self.rows):
            text = f"session {self.session}: {before}, then {after} not {self.rows}"
            counts.note("rows_lost", text)

    def _ask(self, sql: str, *arguments: object) -> tuple[Any, ...] | None:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            rows = cursor.fetchall() if cursor.description else ()
        return tuple(rows[0]) if rows else None

    def _rows_for_others(self, server: Server) -> int:
        where = f"{server.database}.{PINNED} WHERE session = {self.session}"
        return int(server.execute_as_root(f"SELECT COUNT(*) FROM {where}")[0][0] or 0)
