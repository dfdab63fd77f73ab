"""Literals in the statements that make and alter tables."""

from __future__ import annotations

from typing import Any

from django.db.backends.mysql import schema

BYTES = (bytes, bytearray, memoryview)


class Literal(bytes):
    """A literal as MySQLdb answers it, which is bytes; formatted into a statement, it is text.

    `"DEFAULT %s" % b"1"` reads DEFAULT b'1', which is SQL but says another thing.
    """

    text: str

    def __new__(cls, quoted: bytes, text: str) -> Literal:
        """`quoted` is what it compares as, `text` what it is in a statement."""
        literal = super().__new__(cls, quoted)
        literal.text = text
        return literal

    def __str__(self) -> str:
        return self.text


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

    def quote_value(self, value: Any) -> str | Literal:
        """A value as an SQL literal, to be formatted into a statement.

        Bytes and truth values are a Literal, since Django's tests want MySQLdb's types.
        """
        self.connection.ensure_connection()
        connection = self.connection.connection
        if isinstance(value, BYTES):
            plain = bytes(value)
            return Literal(b"'%b'" % connection.escape_string(plain), f"X'{plain.hex()}'")
        quoted = connection.literal(value)
        return Literal(quoted, quoted.decode()) if isinstance(value, bool) else quoted.decode()
