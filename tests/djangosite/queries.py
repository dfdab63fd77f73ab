"""Short questions to a database of the project."""

from __future__ import annotations

from typing import Any


def ask(alias: str, sql: str) -> Any:
    """The first value that a statement answers, on a cursor of its own."""
    from django.db import connections

    return answer(connections[alias], sql)


def answer(wrapper: Any, sql: str = "SELECT CONNECTION_ID()") -> Any:
    """The same, of a wrapper that need not be the alias's in this thread."""
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def session(alias: str = "default") -> int:
    """The server's CONNECTION_ID() on this alias."""
    return int(ask(alias, "SELECT CONNECTION_ID()"))
