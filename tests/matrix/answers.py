"""Answers that the parent has begun to read, or means to ask for again."""

from __future__ import annotations

from typing import Any

import forksafe
from tests.matrix.state import State

# The first row is fetched before the fork; the other answers reach the socket while the child
# lives.
SEVERAL = "SELECT 1 UNION SELECT 2; SELECT SLEEP(0.01), REPEAT('x', 100000); SELECT 3"

# More than the buffers of a socket hold, so that the server is in the middle of sending it.
STREAM = "SELECT seq, REPEAT(seq % 10, 10000) FROM seq_1_to_400"
FETCHED = 10


class Reading(State):
    """With a cursor that the parent has used."""

    cursor: Any = None

    def query(self) -> None:
        super().query()
        for read in (self.cursor.fetchone, self.cursor.fetchall, self.cursor.nextset):
            self.assert_refused(read)

    def drop(self) -> Any:
        self.cursor = None
        return super().drop()

    def leave(self) -> None:
        self.cursor = None
        super().leave()


class HalfFetched(Reading):
    """A result half fetched, and further answers unread."""

    name = "half_fetched"

    def enter(self) -> None:
        super().enter()
        self.cursor = self.connection.cursor()
        self.cursor.execute(SEVERAL)
        assert self.cursor.fetchone() == (1,)

    def go_on(self) -> None:
        assert self.cursor.fetchall() == ((2,),)
        assert self.cursor.nextset()
        assert self.cursor.fetchall() == ((0, "x" * 100000),)
        assert self.cursor.nextset()
        assert self.cursor.fetchall() == ((3,),)
        assert not self.cursor.nextset()
        self.cursor.close()


class Streaming(Reading):
    """A streaming cursor half read: most rows are still on their way."""

    name = "streaming"

    def enter(self) -> None:
        super().enter()
        self.cursor = self.connection.cursor(forksafe.cursors.SSCursor)
        self.cursor.execute(STREAM)
        self.read = list(self.cursor.fetchmany(FETCHED))

    def go_on(self) -> None:
        self.read += self.cursor.fetchall()
        assert self.read == [(n, str(n % 10) * 10000) for n in range(1, 401)]
        self.cursor.close()


class Prepared(Reading):
    """A prepared statement cached: it runs again without being prepared again."""

    name = "prepared"

    def enter(self) -> None:
        super().enter()
        self.cursor = self.connection.cursor(prepared=True)
        self.execute(1)
        self.execute(2)
        self.preparations = self.count_preparations()

    def go_on(self) -> None:
        self.execute(3)
        assert self.count_preparations() == self.preparations

    def execute(self, value: int) -> None:
        self.cursor.execute("SELECT %s, CONNECTION_ID()", (value,))
        assert self.cursor.fetchall() == ((value, self.session),)

    def count_preparations(self) -> int:
        """How many statements anybody has prepared on the server."""
        return int(self.witness.ask("SHOW GLOBAL STATUS LIKE 'Com_stmt_prepare'")[0][1])
