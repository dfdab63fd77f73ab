"""SQLAlchemy's dialects: `mysql+forksafe://` and `mariadb+forksafe://`.

    pool = forksafe.Pool("mysql://app:…@db/app")
    engine = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)

or, with SQLAlchemy's own pool, `create_engine("mysql+forksafe://app:…@db/app")`. Either way a
forked child may use the engine that it inherited, without a hook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb

import forksafe
from forksafe.constants import CLIENT

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.engine.interfaces import ConnectArgsType, DBAPIConnection, DBAPICursor
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

#: Errors of a pool: they tell of no connection.
POOL_ERRORS = (forksafe.PoolTimeout, forksafe.TooManyRequests, forksafe.PoolClosed)


class MySQLDialect_forksafe(MySQLDialect_mysqldb):
    """SQLAlchemy's MySQL dialect on forksafe."""

    driver = "forksafe"
    supports_statement_cache = True
    supports_server_side_cursors = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module that speaks PEP 249."""
        return forksafe

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Have the engine's pool look at each connection that it is about to lend."""
        event.listen(engine, "checkout", _refuse_unfit)

    def on_connect(self) -> None:  # type: ignore[override]
        """Do nothing: the connection's character set is agreed on while it is opened."""

    def create_connect_args(
        self, url: URL, _translate_args: dict[str, Any] | None = None
    ) -> ConnectArgsType:
        """The options of forksafe.connect() that a URL stands for; its query may hold any."""
        options: dict[str, Any] = {**url.translate_connect_args(username="user"), **url.query}
        # Without it an UPDATE counts changed rows, and SQLAlchemy takes the others for missing.
        options["client_flag"] = int(options.get("client_flag", 0)) | CLIENT.FOUND_ROWS
        return [], options

    def is_disconnect(
        self,
        e: Any,
        connection: PoolProxiedConnection | DBAPIConnection | None,
        cursor: DBAPICursor | None,
    ) -> bool:
        """Whether the connection is of no more use, whatever the error itself says.

        An error finishes a connection when it leaves the conversation with the server in doubt:
        the connection then reports itself closed. An inherited one never was of use here.
        """
        if isinstance(e, POOL_ERRORS):
            return False
        if super().is_disconnect(e, connection, cursor):
            return True
        held = getattr(connection, "dbapi_connection", connection)
        return isinstance(e, forksafe.Error) and held is not None and not held.open

    def _extract_error_code(self, exception: Any) -> Any:
        return exception.args[0] if exception.args else None


class MariaDBDialect_forksafe(MariaDBDialect, MySQLDialect_forksafe):
    """SQLAlchemy's MariaDB dialect on forksafe; it refuses a MySQL server."""

    supports_statement_cache = True


dialect = MySQLDialect_forksafe


def _refuse_unfit(
    held: forksafe.Connection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection
) -> None:
    """Send the pool for another connection instead of one that is dead or inherited.

    It costs no round trip, and none goes to a socket that the parent opened.
    """
    if held.inherited:
        # So are all the others that the pool has been holding since before the fork.
        raise exc.InvalidatePoolError("inherited from the process that opened it")
    if not held.probe():
        raise exc.DisconnectionError("the server has closed this idle connection")
