"""A driver that the storm must fail: PyMySQL in a pool whose sockets parent and child share.

As much of forksafe's face as the storm uses. Without a lock, so that it is the sharing that shows.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pymysql

PATIENCE = 1.0  # seconds to wait for an answer: another process may have taken it
Error = pymysql.err.Error


class PoolTimeout(pymysql.err.OperationalError):
    """No connection came free in time."""


class Pool:
    """Lends each connection to one caller at a time, in each process that has it."""

    def __init__(
        self,
        *,
        max_size: int,
        timeout: float,
        recycle: object,
        max_idle: object,
        ping_after: object,
        **options: Any,
    ) -> None:
        self.timeout, self.options = timeout, options
        self.max_size, self.connects = max_size, 0
        self.idle: deque[Any] = deque()
        self.slots = deque(range(max_size))

    def connect(self, timeout: float | None = None) -> Any:
        """An idle connection, or a new one where there is room."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            with contextlib.suppress(IndexError):
                return self.idle.pop()
            with contextlib.suppress(IndexError):
                self.slots.pop()
                self.connects += 1
                return _Lent(self, **self.options)
            if time.monotonic() > deadline:
                raise PoolTimeout(0, "no connection came free")
            time.sleep(0.0005)

    @contextlib.contextmanager
    def connection(self) -> Iterator[Any]:
        """One for a block, committed after it."""
        connection = self.connect()
        try:
            yield connection
            connection.commit()
        finally:
            connection.close()

    def stats(self) -> dict[str, int]:
        """Sizes, as forksafe names them."""
        return {"pool_size": self.max_size - len(self.slots), "connections_num": self.connects}

    def close(self) -> None:
        """Close the idle ones."""
        with contextlib.suppress(IndexError):
            while True:
                self.idle.pop().end()
                self.slots.append(0)


class _Lent(pymysql.connections.Connection):
    def __init__(self, pool: Pool, **options: Any) -> None:
        super().__init__(**_impatient(options))
        self.pool = pool

    def close(self) -> None:
        self.pool.idle.append(self)

    def end(self) -> None:
        super().close()


def connect(**options: Any) -> Any:
    """A connection without a pool."""
    return pymysql.connect(**_impatient(options))


def _impatient(options: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in options.items() if not name.startswith("ssl_")}
    return {**kept, "ssl_disabled": True, "read_timeout": PATIENCE}
