"""What the site stores."""

from __future__ import annotations

from django.db import models


class Ticket(models.Model):
    """A row whose text follows from its number: a client can check it without a database."""

    number = models.PositiveIntegerField(unique=True)
    text = models.CharField(max_length=64)


class Entry(models.Model):
    """A line of the ledger: gunicorn's master writes it inside one long transaction."""

    shift = models.CharField(max_length=32, db_index=True)
    text = models.CharField(max_length=64)
