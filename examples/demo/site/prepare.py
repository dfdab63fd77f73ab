"""`python -m examples.demo.site.prepare`: migrate and fill the tickets, before gunicorn starts."""

from __future__ import annotations

import sys

import django
from django.core.management import call_command


def main(tickets: int) -> None:
    """Make the tables and `tickets` rows, numbered from 0."""
    django.setup()
    from examples.demo.site.models import Ticket

    call_command("migrate", verbosity=0)
    Ticket.objects.bulk_create(Ticket(number=n, text=f"ticket {n}") for n in range(tickets))


if __name__ == "__main__":
    main(int(sys.argv[1]))
