"""SQLAlchemy's dialects: `mysql+forksafe://` and `mariadb+forksafe://`.

    pool = forksafe.Pool("mysql://app:…@db/app")
    engine = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)

or, with SQLAlchemy's own pool, `create_engine("mysql+forksafe://app:…@db/app")`. Either way a
forked child may use the engine that it inherited, without a hook.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc, util
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.pool import QueuePool

import forksafe
from forksafe._forksafe import Stamp
from forksafe.constants import CLIENT, CR

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import ConnectArgsType, DBAPIConnection, DBAPICursor
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

#: Errors of a pool: they tell of no connection.
POOL_ERRORS = (forksafe.PoolTimeout, forksafe.TooManyRequests, forksafe.PoolClosed)

#: Options of a URL that mysqldb does not leave as text either.
TRUTH_VALUES = {"compress", "local_infile", "use_unicode"}
NUMBERS = {"connect_timeout", "read_timeout", "write_timeout", "client_flag"}


class ForkAwareQueuePool(QueuePool):
    """SQLAlchemy's QueuePool, which a forked child finds empty, unlocked and at its full size.

    In the child of a stock QueuePool, connections that the parent's threads had checked out stay
    counted for ever, and a lock that one of them held stays locked for ever.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._stamp = Stamp()
        self._own: weakref.WeakSet[ConnectionPoolEntry] = weakref.WeakSet()
        super().__init__(*args, **options)

    @property
    def _pool(self) -> Any:
        if self._stamp.inherited:
            self._start_anew()
        return self._queue

    @_pool.setter
    def _pool(self, queue: Any) -> None:
        self._queue = queue

    def _start_anew(self) -> None:
        self._own = weakref.WeakSet()
        self._queue = type(self._queue)(self._queue.maxsize, use_lifo=self._queue.use_lifo)
        self._overflow = -self._queue.maxsize
        self._overflow_lock = threading.Lock()
        # Last: another thread of the child must not take the parent's queue for its own.
        self._stamp = Stamp()

    def _do_get(self) -> ConnectionPoolEntry:
        _ = self._pool  # before the counters are read: in a child they are the parent's
        entry = super()._do_get()
        self._own.add(entry)
        return entry

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        _ = self._pool  # likewise, for what is the pool's own
        if record in self._own:
            super()._do_return_conn(record)
        else:
            record.close()


class MySQLDialect_forksafe(MySQLDialect_mysqldb):
    """SQLAlchemy's MySQL dialect on forksafe."""

    driver = "forksafe"
    poolclass = ForkAwareQueuePool
    supports_statement_cache = True
    supports_server_side_cursors = True
    _sscursor = forksafe.cursors.SSCursor  # of `stream_results`

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that speaks PEP 249."""
        return forksafe

    @classmethod
    def load_provisioning(cls) -> None:
        """Let SQLAlchemy's test suites know a MySQL when they meet one."""
        __import__("sqlalchemy.dialects.mysql.provision")

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Have the engine's pool look at each connection that it is about to lend."""
        event.listen(engine, "checkout", _refuse_unfit)

    def initialize(self, connection: Connection) -> None:
        """Learn from the first connection whether an UPDATE counts the rows it found.

        Connections of a `creator` may lack the flag: then their counts say nothing about missing
        rows, and the ORM must not go by them.
        """
        super().initialize(connection)
        held = _innermost(connection.connection)
        self.supports_sane_rowcount = bool(getattr(held, "client_flag", 0) & CLIENT.FOUND_ROWS)

    def on_connect(self) -> Any:
        """Leave out mysqldb's SET NAMES: the character set is agreed on while connecting."""
        return super(MySQLDialect_mysqldb, self).on_connect()

    def create_connect_args(
        self, url: URL, _translate_args: dict[str, Any] | None = None
    ) -> ConnectArgsType:
        """The options of forksafe.connect() that a URL stands for; its query may hold any.

        Listeners of `do_connect` find numbers and truth values, as with mysqldb.
        """
        options: dict[str, Any] = {**url.translate_connect_args(username="user"), **url.query}
        for name in TRUTH_VALUES & options.keys():
            options[name] = util.asbool(options[name])
        for name in NUMBERS & options.keys():
            options[name] = _whole(options[name])
        # Without it an UPDATE counts changed rows, and SQLAlchemy takes the others for missing.
        options["client_flag"] = _with_found_rows(options.get("client_flag", 0))
        return [], options

    def do_terminate(self, dbapi_connection: Any) -> None:
        """End a connection that SQLAlchemy has invalidated; a pool of ours does not get it back."""
        is_ours = isinstance(dbapi_connection, forksafe.Connection)
        end = dbapi_connection.discard if is_ours else dbapi_connection.close
        end()

    def do_rollback_twophase(
        self, connection: Connection, xid: Any, is_prepared: bool = True, recover: bool = False
    ) -> None:
        """Take a two-phase transaction back; like any rollback, nothing in a forked child."""
        if not getattr(_innermost(connection.connection), "inherited", False):
            super().do_rollback_twophase(connection, xid, is_prepared, recover)

    def is_disconnect(
        self,
        e: Any,
        connection: PoolProxiedConnection | DBAPIConnection | None,
        cursor: DBAPICursor | None,
    ) -> bool:
        """Whether the connection is of no more use.

        The number of the error says so, or the connection itself: one that was closed behind the
        pool's back, or that is inherited, is not open here.
        """
        held = _innermost(connection)
        if isinstance(e, POOL_ERRORS):
            return False
        if self._extract_error_code(e) == CR.COMMANDS_OUT_OF_SYNC and held is not None:
            return not held.open  # answers were left unread: the program's slip, the session's well
        if super().is_disconnect(e, connection, cursor):
            return True
        return isinstance(e, forksafe.Error) and held is not None and not held.open

    def _extract_error_code(self, exception: Any) -> Any:
        return exception.args[0] if exception.args else None


if not hasattr(MySQLDialect_mysqldb, "import_dbapi"):  # SQLAlchemy 1.4 asks by another name
    MySQLDialect_forksafe.dbapi = MySQLDialect_forksafe.import_dbapi  # type: ignore[assignment]


class MariaDBDialect_forksafe(MariaDBDialect, MySQLDialect_forksafe):
    """SQLAlchemy's MariaDB dialect on forksafe; it refuses a MySQL server."""

    supports_statement_cache = True


dialect = MySQLDialect_forksafe


def _whole(number: Any) -> Any:
    # What is no whole number is for the driver to take, or to refuse with a word on what it takes.
    return int(number) if isinstance(number, str) and number.strip().isdecimal() else number


def _with_found_rows(flags: Any) -> int | str:
    # As a number, or by name; what a URL has twice comes as a tuple.
    names = ",".join(flags) if isinstance(flags, tuple) else flags
    number = _whole(names)
    return number | CLIENT.FOUND_ROWS if isinstance(number, int) else f"{number},FOUND_ROWS"


def _innermost(connection: Any) -> Any:
    # SQLAlchemy passes what its pool lends or what that wraps, depending on occasion and version.
    return getattr(connection, "dbapi_connection", connection)


def _refuse_unfit(
    held: forksafe.Connection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection
) -> None:
    """Send the pool for another connection instead of one that is dead or inherited.

    It costs no round trip, and none goes to a socket that the parent opened. What a `creator` or
    an event has put in the place of our connection is lent as it is.
    """
    if not isinstance(held, forksafe.Connection):
        return
    if held.inherited:
        # So are all the others that the pool has been holding since before the fork.
        raise exc.InvalidatePoolError("inherited from the process that opened it")
    if not held.probe():
        raise exc.DisconnectionError("the server has closed this idle connection")
