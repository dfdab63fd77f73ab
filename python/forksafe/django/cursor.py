"""A cursor that outlives its connection, when that dies idle or stays behind in a fork."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError

from forksafe import Cursor, OperationalError

if TYPE_CHECKING:
    from .healing import HealingWrapper

# The server reports these as OperationalError; Django's users expect IntegrityError.
BROKEN_CONSTRAINT = frozenset(
    {
        1048,  # a column may not be NULL
        1690,  # a value out of range for BIGINT UNSIGNED
        3819,  # CHECK, as MySQL says it
        4025,  # CHECK, as MariaDB says it
    }
)


class DriverCursor(Cursor):
    """What Django's users know: a fetch after a statement without rows finds none."""

    _strict = False


class CursorWrapper:
    """A cursor that speaks on its wrapper's connection of the moment.

    When the connection it was made on dies idle, or is found to be inherited, the next statement
    goes out on the one that took its place. The cursor ends when the application closes it, or
    closes its connection.
    """

    def __init__(self, wrapper: HealingWrapper) -> None:
        self._wrapper = wrapper
        self._closings: int | None = wrapper.closings
        self._connection = wrapper.connection
        self.cursor = self._connection.cursor(DriverCursor)

    def execute(self, query: str, args: Any = None) -> Any:
        """Run one statement; `args` of None means no interpolation."""
        return self._send(lambda: self.cursor.execute(query, args))

    def executemany(self, query: str, args: Any) -> Any:
        """Run one statement with each of several sets of parameters."""
        return self._send(lambda: self.cursor.executemany(query, args))

    def callproc(self, name: str, args: Any = ()) -> Any:
        """Call a stored procedure."""
        return self._send(lambda: self.cursor.callproc(name, args))

    def close(self) -> None:
        """Close the cursor for good."""
        self._closings = None
        self.cursor.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.cursor)

    def _send(self, statement: Callable[[], Any]) -> Any:
        self._follow()
        try:
            return statement()
        except OperationalError as error:
            if error.args and error.args[0] in BROKEN_CONSTRAINT:
                raise IntegrityError(*error.args) from error
            # This error has told the application of the death: no need for a second one.
            if self._wrapper.has_died_idle():
                self._wrapper.let_go()
            raise

    def _follow(self) -> None:
        wrapper = self._wrapper
        left_behind = wrapper.connection is not self._connection or wrapper.has_died_idle()
        if left_behind and self._closings == wrapper.closings:
            wrapper.ensure_connection()
            self._connection = wrapper.connection
            self.cursor = self._connection.cursor(DriverCursor)
