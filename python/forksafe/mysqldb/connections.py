"""`MySQLdb.connections.Connection`."""

from __future__ import annotations

import warnings
from typing import Any

from ..converters import Thing2Literal, conversions
from ..exceptions import ConnectionClosed
from . import _mysql, cursors
from ._exceptions import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)

__all__ = [
    "Connection",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
]

#: The order that MySQLdb has them in.
POSITIONAL = (
    "host",
    "user",
    "password",
    "database",
    "port",
    "unix_socket",
    "conv",
    "connect_timeout",
    "compress",
    "named_pipe",
    "init_command",
    "read_default_file",
    "read_default_group",
    "client_flag",
    "ssl",
    "ssl_mode",
    "local_infile",
    "read_timeout",
    "write_timeout",
    "charset",
    "auth_plugin",
    "server_public_key_path",
    "local_infile_dir",
)

#: To MySQL's C library an empty text, or a zero, is one that was not given.
EMPTY_IS_ABSENT = frozenset(POSITIONAL) - {"password", "conv"} | {"db", "collation", "sql_mode"}

FALLBACKS = ("loop", "multi")


class Connection(_mysql.connection):
    """A connection to a MySQL or MariaDB server, opened with MySQLdb's arguments.

    They are those of `forksafe.connect()`, which has the help on each, by keyword or in MySQLdb's
    order: host, user, password, database, port, unix_socket, conv, … An empty text, and a time-out
    or port of 0, count as not given. And:

    binary_prefix: mark bytes among parameters with `_binary`. False, as in MySQLdb; True elsewhere
        in forksafe.
    conv: as elsewhere; a parameter of a class that it has nothing for is written as its `str()`.
    executemany_fallback: how `executemany()` runs what is no `INSERT … VALUES`: "loop" (default)
        one statement after another, "multi" up to 200 in one round trip.
    """

    default_cursor: type[Any] = cursors.Cursor
    executemany_fallback: str = "loop"

    def __init__(self, *args: Any, **options: Any) -> None:
        if len(args) > len(POSITIONAL):
            raise TypeError(f"connect() takes at most {len(POSITIONAL)} arguments by position")
        given = dict(zip(POSITIONAL, args, strict=False))
        if twice := sorted(given.keys() & options.keys()):
            raise TypeError(f"connect() got {twice[0]!r} twice")
        given.update(options)
        fallback = given.pop("executemany_fallback", self.executemany_fallback)
        if fallback not in FALLBACKS:
            raise ValueError("executemany_fallback must be either 'loop' or 'multi'")
        given["conv"] = {object: Thing2Literal, **(given.get("conv") or conversions)}
        given.setdefault("cursorclass", self.default_cursor)
        given.setdefault("binary_prefix", False)
        super().__init__(**{name: value for name, value in given.items() if _is_given(name, value)})
        self.executemany_fallback = fallback

    def cursor(self, cursorclass: Any = None, **how: Any) -> Any:
        """A new cursor. As with MySQLdb also of a closed connection: then execute() fails."""
        if self.closed and not self.inherited:
            return (cursorclass or self.cursorclass)(self, **how)
        return super().cursor(cursorclass, **how)

    def close(self) -> None:
        """Close the connection. As with MySQLdb, OperationalError where it is closed already."""
        if self.closed and not self.inherited:
            raise ConnectionClosed(2006, "closing a closed connection")
        super().close()

    def __exit__(self, *_error: object) -> None:
        """Close the connection, if it is open still."""
        super().close()

    def ping(self, reconnect: bool | None = None) -> None:
        """A round trip to the server. `reconnect` is deprecated by MySQLdb; nothing reconnects."""
        if reconnect is not None:
            text = "the reconnect parameter of ping() is deprecated"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        super().ping()

    def escape(self, value: object, mapping: Any = None) -> Any:
        """`value` as a literal, by the function that `mapping` (default: `encoders`) has for it."""
        return super().escape(value, self.encoders if mapping is None else mapping)


def _is_given(name: str, value: object) -> bool:
    return bool(value) or value is False or name not in EMPTY_IS_ABSENT
