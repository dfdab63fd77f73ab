"""Literals in the statements that make and alter tables."""

from __future__ import annotations

from typing import Any

from django.db.backends.mysql import schema

BYTES = (bytes, bytearray, memoryview)


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Django's own, with literals that are text whatever the value."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run a statement, with bytes in hexadecimal.

        A bytes parameter has its character set written before it. In a DEFAULT, MariaDB takes that
        for an expression, and loses the backslashes in it.
        """
        if params and any(isinstance(value, BYTES) for value in params):
            sql, params = str(sql) % tuple(map(self.quote_value, params)), None
        super().execute(sql, params)

    def quote_value(self, value: Any) -> str:
        """A value as an SQL literal."""
        if isinstance(value, BYTES):
            return f"X'{bytes(value).hex()}'"
        self.connection.ensure_connection()
        return self.connection.connection.literal(value).decode()
