"""Short questions to the server through SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text


def session(connection: Any) -> int:
    """The server's CONNECTION_ID() on this connection."""
    return int(connection.scalar(text("SELECT CONNECTION_ID()")))
