"""The exceptions of PEP 249, and those of the pool.

An error that came from the server, or stands for one of its client library, has the arguments
`(errno, message)`. `forksafe.constants.ER` and `.CR` name the numbers.
"""

from __future__ import annotations

import builtins


class MySQLError(Exception):
    """The root of all that this module raises."""

    __module__ = "forksafe"


class Warning(builtins.Warning, MySQLError):
    """Something worth telling that is no error, such as data cut short by an INSERT."""

    __module__ = "forksafe"


class Error(MySQLError):
    """The base of every error: `except forksafe.Error` catches them all."""

    __module__ = "forksafe"


class InterfaceError(Error):
    """The driver was used in a way that it cannot serve, such as after `close()`."""

    __module__ = "forksafe"


class DatabaseError(Error):
    """The base of every error that has to do with the database."""

    __module__ = "forksafe"


class DataError(DatabaseError):
    """A value does not fit: out of range, too long, a division by zero."""

    __module__ = "forksafe"


class OperationalError(DatabaseError):
    """The database could not do its work, through no fault of the statement.

    A lost connection is one: 2006 when nothing had been sent, 2013 when the statement may have run.
    """

    __module__ = "forksafe"


class IntegrityError(DatabaseError):
    """A constraint would be broken: a duplicate key, a missing parent row, a NULL."""

    __module__ = "forksafe"


class InternalError(DatabaseError):
    """The database is in a state that it should not be in."""

    __module__ = "forksafe"


class ProgrammingError(DatabaseError):
    """The program is wrong: a syntax error, an unknown table or option, too few parameters."""

    __module__ = "forksafe"


class NotSupportedError(DatabaseError):
    """The server or the driver does not have what was asked for."""

    __module__ = "forksafe"


class ConnectionClosed(InterfaceError, OperationalError):
    """The connection is closed, or its pool has taken it back.

    An InterfaceError by PEP 249, as with psycopg; MySQLdb raises OperationalError (2006) here.
    """

    __module__ = "forksafe"


class PoolTimeout(OperationalError):
    """No connection came free, or could be opened, in time."""

    __module__ = "forksafe"


class TooManyRequests(OperationalError):
    """As many callers as `max_waiting` allows are waiting already."""

    __module__ = "forksafe"


class PoolClosed(OperationalError):
    """The pool was closed and lends no more connections."""

    __module__ = "forksafe"
