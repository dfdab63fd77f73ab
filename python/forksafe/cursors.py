"""The kinds of cursors, by MySQLdb's names.

`connection.cursor(DictCursor)` makes one; the option `cursorclass` of `connect` and `Pool` says
what a plain `connection.cursor()` makes. A class of your own that extends one of these serves too.

An `SS` cursor streams: its rows stay with the server, and are read from the socket as they are
fetched, a few dozen KiB at a time, however large the result is.

* Until a fetch has come to the end (`fetchone` answers None, `fetchmany` fewer rows than asked
  for), every other statement on the connection is refused with ProgrammingError 2014.
* `close()`, `nextset()` and the next statement of the same cursor skip the rows that are left;
  a cursor that is garbage leaves that to the next statement on its connection. They are read for a
  second; then the server is asked to end the statement, if it is a SELECT and the last of its text.
  The connection goes on, with its transaction; where the server cannot be asked, it is finished
  (2006 at its next use).
* `rowcount`, and what `execute` answers, is -1 until the end (PEP 249); then `rowcount` is the
  number of rows. `warning_count` is known only then, too.
* A statement may fail after it has given rows: then a fetch raises its error.
* The end of a `with pool.connection()` block skips the rest and commits.
* A connection that goes back to its pool otherwise with rows unread skips up to 1 MiB of them, for
  up to a second; one with more to come is discarded.
"""

from __future__ import annotations

from typing import Any

from ._forksafe import Cursor

__all__ = ["Cursor", "DictCursor", "SSCursor", "SSDictCursor"]


class DictCursor(Cursor[dict[str, Any]]):
    """A cursor whose rows are dictionaries.

    Of several columns with the same name the first has it as its key; a later one has
    `table.name`, as with MySQLdb.
    """

    _dicts = True


class SSCursor(Cursor):
    """A cursor that streams."""

    _streams = True


class SSDictCursor(Cursor[dict[str, Any]]):
    """A cursor that streams, and whose rows are dictionaries."""

    _dicts = True
    _streams = True
