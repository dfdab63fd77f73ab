"""A plugin of pytest: every connection of `mysql+forksafe` is one of a pool of forksafe's."""

from sqlalchemy.dialects import registry
from sqlalchemy.pool import NullPool

import forksafe
from forksafe.sqlalchemy import MariaDBDialect_forksafe, MySQLDialect_forksafe

POOLS = {}


class _Pooled:
    """Of engines with the same options, the connections come from one pool."""

    poolclass = NullPool

    def connect(self, *arguments, **options):
        key = repr((arguments, sorted(options.items())))
        if key not in POOLS:
            POOLS[key] = forksafe.Pool(*arguments, **options, max_size=200)
        return POOLS[key].connect()


class PooledMySQL(_Pooled, MySQLDialect_forksafe):
    """`mysql+forksafe`."""

    supports_statement_cache = True


class PooledMariaDB(_Pooled, MariaDBDialect_forksafe):
    """`mariadb+forksafe`."""

    supports_statement_cache = True


registry.register("mysql.forksafe", __name__, "PooledMySQL")
registry.register("mariadb.forksafe", __name__, "PooledMariaDB")
