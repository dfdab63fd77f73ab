"""A MySQL and MariaDB driver (PEP 249), with a connection pool that survives `fork()`."""

from . import constants, converters, cursors, events, times
from ._forksafe import Connection, Cursor, Pool, __version__, connect
from .alias import install_as_MySQLdb
from .exceptions import (
    ConnectionClosed,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    MySQLError,
    NotSupportedError,
    OperationalError,
    PoolClosed,
    PoolTimeout,
    ProgrammingError,
    TooManyRequests,
    Warning,
)
from .types import (
    BINARY,
    DATE,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    TIME,
    TIMESTAMP,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeDelta,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"
version_info = (0, 1, 0, "final", 0)

__all__ = [
    # connections
    "connect",
    "install_as_MySQLdb",
    "Connection",
    "Cursor",
    "Pool",
    # errors
    "MySQLError",
    "Warning",
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
    "ConnectionClosed",
    "PoolTimeout",
    "TooManyRequests",
    "PoolClosed",
    # values
    "Binary",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeDelta",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    # type objects
    "BINARY",
    "DATE",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "TIME",
    "TIMESTAMP",
    # about this module
    "__version__",
    "apilevel",
    "constants",
    "converters",
    "cursors",
    "events",
    "paramstyle",
    "threadsafety",
    "times",
    "version_info",
]
