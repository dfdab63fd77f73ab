"""The tables of `models`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Tickets and the ledger."""

    initial = True
    operations: ClassVar[list[Any]] = [
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("number", models.PositiveIntegerField(unique=True)),
                ("text", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("shift", models.CharField(db_index=True, max_length=32)),
                ("text", models.CharField(max_length=64)),
            ],
        ),
    ]
