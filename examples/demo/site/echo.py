"""Questions whose answer can only be right if it comes back on the connection that asked it."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import Func, IntegerField, Value

from examples.demo.site.models import Ticket

# The session of the server that answers, as a column beside the data.
SESSION = Func(function="CONNECTION_ID", output_field=IntegerField())


def find_ticket(number: int, token: str) -> dict[str, Any]:
    """One row by the ORM, with the token that was sent along. Raises Ticket.DoesNotExist."""
    columns = {"token": Value(token), "session": SESSION}
    found: dict[str, Any] = Ticket.objects.values("number", "text", **columns).get(number=number)
    return found


def echo(alias: str, token: str) -> tuple[str, int]:
    """Send `token` through the database; what came back, and the session that answered."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT %s, CONNECTION_ID()", [token])
        answered, session = cursor.fetchone()
    return answered, session


def pool_statistics() -> dict[str, Any]:
    """What the pools of this process have counted, by alias; empty if the driver has none."""
    pools = {alias: getattr(connections[alias], "pool", None) for alias in connections}
    return {alias: pool.stats() for alias, pool in pools.items() if pool is not None}
