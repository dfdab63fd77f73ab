"""Short questions through prepared cursors, beside plain ones, and what the server has counted."""

from __future__ import annotations

from typing import Any

import forksafe


def counted(connection: forksafe.Connection, command: str) -> int:
    """How many COM_STMT_`command` the server has had from this session."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_stmt_%'")
        counts = {name: int(count) for name, count in cursor.fetchall()}
    count = counts[f"Com_stmt_{command}"]
    if command == "prepare" and "MariaDB" not in connection.get_server_info():
        # MySQL adds those that it prepares again by itself, for parameters of other types.
        count -= counts["Com_stmt_reprepare"]
    return count


def ask(connection: forksafe.Connection, sql: str, args: Any = None) -> tuple[Any, ...]:
    with connection.cursor(prepared=True) as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall() if cursor.description else ()


def both(connection: forksafe.Connection, sql: str, args: Any = None) -> list[tuple[Any, ...]]:
    """The only row of `sql`, as text and prepared."""
    rows = []
    for prepared in (False, True):
        cursor = connection.cursor(prepared=prepared)
        cursor.execute(sql, args)
        (row,) = cursor.fetchall()
        rows.append(row)
    return rows


def assert_same(row: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert row == other
    assert [type(value) for value in row] == [type(value) for value in other]
