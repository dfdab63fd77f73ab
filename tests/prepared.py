"""Short questions through prepared cursors, and what the server has counted of them."""

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
