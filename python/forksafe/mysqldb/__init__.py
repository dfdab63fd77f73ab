"""forksafe with the names, arguments and defaults of MySQLdb (mysqlclient).

`forksafe.install_as_MySQLdb()` puts it in MySQLdb's place. It is the same driver: connections of
the same class, the same cursors, and the same exceptions.
"""

from __future__ import annotations

from typing import Any

from .. import constants, converters, times
from .. import types as _types
from ..constants import FIELD_TYPE
from ..types import (
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from . import _exceptions, _mysql, connections, cursors, release
from ._exceptions import *  # noqa: F403 (MySQLdb has them here too)
from ._mysql import debug, escape, escape_string, get_client_info, string_literal
from .release import __version__, version_info

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"

BINARY = _types.BINARY
DATE = _types.DATE
DATETIME = _types.DATETIME
NUMBER = _types.NUMBER
ROWID = _types.ROWID
STRING = _types.STRING
TIME = _types.TIME
TIMESTAMP = _types.TIMESTAMP
DBAPISet = _types.TypeObject


def connect(*args: Any, **options: Any) -> connections.Connection:
    """Open a connection: see `MySQLdb.connections.Connection` for the arguments."""
    return connections.Connection(*args, **options)


Connect = Connection = connect

__all__ = [
    "BINARY",
    "DATE",
    "DATETIME",
    "FIELD_TYPE",
    "NUMBER",
    "ROWID",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "Binary",
    "Connect",
    "Connection",
    "DBAPISet",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "__version__",
    "_mysql",
    "apilevel",
    "connect",
    "connections",
    "constants",
    "converters",
    "cursors",
    "debug",
    "escape",
    "escape_string",
    "get_client_info",
    "paramstyle",
    "release",
    "string_literal",
    "threadsafety",
    "times",
    "version_info",
]
__all__ += _exceptions.__all__
