"""The kinds of cursors, and what MySQLdb's are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .. import _forksafe
from ..constants import CLIENT, CR
from ._exceptions import InternalError, MySQLError

__all__ = [
    "RE_INSERT_VALUES",
    "BaseCursor",
    "Cursor",
    "CursorDictRowsMixIn",
    "CursorStoreResultMixIn",
    "CursorTupleRowsMixIn",
    "CursorUseResultMixIn",
    "DictCursor",
    "SSCursor",
    "SSDictCursor",
]

#: What `executemany()` sends as one INSERT: what comes before the values, a row, what follows.
RE_INSERT_VALUES = re.compile(
    r"""
    \s* ( (?: INSERT | REPLACE ) \s .*? \b VALUES? \s* )
    ( \( (?: [^()] | %\( [^()]* \)s )* \) )
    ( (?: \s+ ON \s+ DUPLICATE \s .* )? ) \s* ;? \s* \Z
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)

#: A line of its own, for a statement may end in a comment.
_EXECUTEMANY_MULTI_SEPARATOR = b"\n;\n"
_CHANGES = re.compile(r"\s*(?:INSERT|REPLACE|UPDATE|DELETE)\b", re.IGNORECASE)
_ANSWERS_ROWS = re.compile(r"\bRETURNING\b", re.IGNORECASE)


def _as_text(query: str | bytes | bytearray) -> str:
    return query if isinstance(query, str) else query.decode("latin-1")


def _is_executemany_dml(query: str | bytes | bytearray) -> bool:
    """Whether several of it can be sent at once: it changes rows, answers none, and is alone."""
    text = _as_text(query)
    return ";" not in text and bool(_CHANGES.match(text)) and not _ANSWERS_ROWS.search(text)


def _is_refusal(error: BaseException) -> bool:
    """Whether the server said no, and goes on."""
    errno = error.args[0] if isinstance(error, MySQLError) and error.args else None
    return isinstance(errno, int) and not CR.MIN_ERROR <= errno <= CR.MAX_ERROR


class BaseCursor(_forksafe.Cursor[Any]):
    """What all cursors have. Rows are tuples, received as a whole, unless a mix-in says else."""

    #: As with MySQLdb, after a statement without rows a fetch finds none, and raises nothing; and a
    #: statement throws away what another cursor has left of several answers.
    _strict = False

    #: The most bytes, and the most statements, that "multi" sends at once.
    max_multi_stmt_length = 16_000
    max_multi_stmt_count = 200

    #: "loop" or "multi"; None: as the connection says.
    executemany_fallback: str | None = None

    def executemany(self, query: str | bytes, args: Iterable[Any]) -> int | None:
        """Run a statement for each of many parameter sets.

        As `forksafe.Cursor.executemany()`; with `executemany_fallback` "multi", what is no
        INSERT … VALUES goes as many statements at once.
        """
        connection: Any = self.connection
        fallback = self.executemany_fallback
        if fallback is None:
            fallback = getattr(connection, "executemany_fallback", "loop")
        if fallback not in ("loop", "multi"):
            raise ValueError("executemany_fallback must be either 'loop' or 'multi'")
        if (
            fallback == "multi"
            and not RE_INSERT_VALUES.match(_as_text(query))
            and connection.client_flag & CLIENT.MULTI_STATEMENTS
            and _is_executemany_dml(query)
        ):
            return self._executemany_at_once(query, args)
        return super().executemany(query, args)

    def _executemany_at_once(self, query: str | bytes, args: Iterable[Any]) -> int | None:
        total: int | None = None
        batch: list[bytes] = []
        length = 0
        for row in args:
            statement = self._mogrify(query, row)
            longer = length + len(_EXECUTEMANY_MULTI_SEPARATOR) + len(statement)
            full = len(batch) >= self.max_multi_stmt_count or longer > self.max_multi_stmt_length
            if batch and full:
                total = (total or 0) + self._execute_batch(batch)
                batch, longer = [], len(statement)
            length = longer if batch else len(statement)
            batch.append(statement)
        if batch:
            total = (total or 0) + self._execute_batch(batch)
        if total is not None:
            self.rowcount = total
        return total

    def _execute_batch(self, batch: list[bytes]) -> int:
        sql = _EXECUTEMANY_MULTI_SEPARATOR.join(batch)
        return self._execute_multi_statement_batch(sql, len(batch))

    def _execute_multi_statement_batch(self, query: bytes, statement_count: int) -> int:
        """Run `query`, which is `statement_count` statements; the rows that they changed."""
        if statement_count == 1:
            return self.execute(query)
        try:
            self.execute(query)
            return self._sum_of_answers(statement_count)
        except BaseException as error:
            # A statement that the server refused is the last: nothing is left unread. After
            # anything else nobody knows which of the answers were read.
            if not _is_refusal(error):
                self.connection.close()
            self.rowcount = -1
            raise

    def _sum_of_answers(self, count: int) -> int:
        total = 0
        for number in range(count):
            if (number and not self.nextset()) or self.description is not None:
                raise InternalError(2000, "multi-statement executemany: an answer has rows")
            self._do_get_result(self.connection)
            total += self.rowcount
        if self.connection.more_results():
            raise InternalError(2000, "multi-statement executemany: there are more answers")
        return total

    def _do_get_result(self, db: Any) -> None:
        """Called for each answer to statements that were sent at once; for subclasses."""


class CursorStoreResultMixIn:
    """Rows are received as a whole."""

    _streams = False


class CursorUseResultMixIn:
    """Rows stay with the server until they are fetched."""

    _streams = True


class CursorTupleRowsMixIn:
    """Rows are tuples."""

    _dicts = False


class CursorDictRowsMixIn:
    """Rows are dictionaries."""

    _dicts = True


class Cursor(CursorStoreResultMixIn, CursorTupleRowsMixIn, BaseCursor):
    """A cursor whose rows are tuples, received as a whole."""


class DictCursor(CursorStoreResultMixIn, CursorDictRowsMixIn, BaseCursor):
    """A cursor whose rows are dictionaries, received as a whole."""


class SSCursor(CursorUseResultMixIn, CursorTupleRowsMixIn, BaseCursor):
    """A cursor whose rows are tuples, and stay with the server until they are fetched."""


class SSDictCursor(CursorUseResultMixIn, CursorDictRowsMixIn, BaseCursor):
    """A cursor whose rows are dictionaries, and stay with the server until they are fetched."""
