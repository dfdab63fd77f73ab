"""A hook that notes its calls, and the session that a pool with hooks lends."""

from __future__ import annotations

import forksafe


class Hook:
    """A hook that notes the sessions it was called with, runs statements, and raises if told."""

    def __init__(self, *statements: str) -> None:
        self.statements = statements
        self.sessions: list[int] = []
        self.kept: list[forksafe.Connection] = []
        self.error: BaseException | None = None

    def __call__(self, connection: forksafe.Connection) -> None:
        self.sessions.append(connection.thread_id())
        self.kept.append(connection)
        for sql in self.statements:
            connection.cursor().execute(sql)
        if self.error:
            raise self.error


def session_of(pool: forksafe.Pool) -> int:
    """Of the connection that the pool lends."""
    with pool.connection() as connection:
        return connection.thread_id()
