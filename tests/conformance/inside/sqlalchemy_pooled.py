"""A plugin of pytest: every connection of `mysql+forksafe` is one of a pool of forksafe's."""

from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool

import forksafe
from forksafe.sqlalchemy import MariaDBDialect_forksafe, MySQLDialect_forksafe

POOLS = {}


class _Module:
    """forksafe, but for where its connections come from: of the same options, from one pool.

    Tests that lose connections on purpose put a `connect()` of their own around a module's.
    """

    def __getattr__(self, name):
        return getattr(forksafe, name)

    def connect(self, *arguments, **options):
        key = repr((arguments, sorted(options.items())))
        if key not in POOLS:
            # The suite sets variables of sessions, on engines that it then throws away.
            POOLS[key] = forksafe.Pool(*arguments, **options, max_size=200, reset="session")
        return POOLS[key].connect()


class _Pooled:
    poolclass = NullPool

    @classmethod
    def import_dbapi(cls):
        return _Module()


class PooledMySQL(_Pooled, MySQLDialect_forksafe):
    """`mysql+forksafe`."""

    supports_statement_cache = True


class PooledMariaDB(_Pooled, MariaDBDialect_forksafe):
    """`mariadb+forksafe`."""

    supports_statement_cache = True


registry.register("mysql.forksafe", __name__, "PooledMySQL")
registry.register("mariadb.forksafe", __name__, "PooledMariaDB")
