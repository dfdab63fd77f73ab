"""`OPTIONS["pool"]`: one pool of connections an alias, for all threads of a process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import NO_DB_ALIAS
from django.utils.asyncio import async_unsafe

import forksafe

from .healing import HealingWrapper
from .threads import close_at_thread_end


class PooledWrapper(HealingWrapper):
    """A wrapper that checks its connection out of a pool, where the settings ask for one.

    `OPTIONS["pool"]` is True or a dict of the options of forksafe.Pool. In a forked child the
    same pool is empty and has its full size.
    """

    # Django's names, as its PostgreSQL backend has them.
    _connection_pools: ClassVar[dict[str, forksafe.Pool]] = {}
    #: What each pool was made of: settings change under test runners, which use other databases.
    _pool_settings: ClassVar[dict[str, dict[str, Any]]] = {}

    @property
    def pool(self) -> forksafe.Pool | None:
        """The pool of this alias, made at the first touch; None where the settings want none.

        Raises ImproperlyConfigured when an option of it is unknown or has a bad value.
        """
        return self._pool_of(self.get_connection_params()) if self.is_pooled else None

    @property
    def is_pooled(self) -> bool:
        """Whether the settings ask for a pool."""
        return self.alias != NO_DB_ALIAS and bool(self.settings_dict["OPTIONS"].get("pool"))

    def close_pool(self, *, force: bool = False) -> None:
        """Do nothing, unless `force`d: then close the pool; the next statement makes another.

        Celery calls this before and after every task, because a pool that its children inherit
        would otherwise be of no use to them. This one serves each process on its own, and closing
        it would cost every task a connect, and other threads their pool. What a closed pool
        would free, it frees by itself: `max_idle` limits how long a connection is kept unused.
        """
        if force and self.is_pooled and (pool := self._connection_pools.pop(self.alias, None)):
            self._pool_settings.pop(self.alias, None)
            pool.close()

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> forksafe.Connection:
        """Check a connection out of the pool, or open one where there is no pool."""
        close_at_thread_end(self)
        if self.is_pooled:
            return self._pool_of(conn_params).connect()
        return forksafe.connect(**conn_params)

    def _pool_of(self, conn_params: dict[str, Any]) -> forksafe.Pool:
        wanted = {**conn_params, "pool": self._pool_options()}
        pool = self._connection_pools.get(self.alias)
        if pool is not None and self._pool_settings.get(self.alias) == wanted:
            return pool
        made = self._make_pool(conn_params, wanted["pool"])
        self._pool_settings[self.alias] = wanted
        if pool is None:
            # Of two threads that come here at once, both take the pool of the first.
            return self._connection_pools.setdefault(self.alias, made)
        self._connection_pools[self.alias] = made
        pool.close()
        return made

    def _pool_options(self) -> dict[str, Any]:
        options = self.settings_dict["OPTIONS"]["pool"]
        if options is True:
            options = {}
        if not isinstance(options, Mapping):
            raise ImproperlyConfigured(
                f"OPTIONS['pool'] of the database {self.alias!r} must be True or a dict of the"
                f" pool's options, not {options!r}."
            )
        return {"name": self.alias, **options}

    def _make_pool(self, conn_params: dict[str, Any], options: dict[str, Any]) -> forksafe.Pool:
        if self.settings_dict.get("CONN_MAX_AGE", 0) != 0:
            raise ImproperlyConfigured("Pooling doesn't support persistent connections.")
        if twice := sorted(conn_params.keys() & options.keys()):
            raise ImproperlyConfigured(
                f"OPTIONS['pool'] of the database {self.alias!r} holds options of the connection:"
                f" {', '.join(twice)}. They belong outside the dict of the pool."
            )
        try:
            return forksafe.Pool(**conn_params, **options)
        except (forksafe.ProgrammingError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(
                f"The pool of the database {self.alias!r}: {error.args[-1]}"
            ) from error
