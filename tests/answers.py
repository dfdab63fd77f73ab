"""The one value that a query answers, and waiting for what comes about in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import forksafe


def one(connection: forksafe.Connection, sql: str, args: Any = None) -> Any:
    """The single value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql, args)
    ((value,),) = cursor.fetchall()
    return value


def wait_until(happens: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what another thread or process does in its own time."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
