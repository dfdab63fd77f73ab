"""Authors, books and shelves."""

import uuid
from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def key() -> tuple[str, Any]:
    """The primary key that Django gives a model without one."""
    kind = models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )
    return ("id", kind)


class Migration(migrations.Migration):
    """The library as it was first."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Author",
            fields=[
                key(),
                ("name", models.CharField(max_length=80)),
                ("born", models.DateField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Book",
            fields=[
                key(),
                ("name", models.CharField(max_length=50)),
                ("price", models.IntegerField(default=0)),
                (
                    "author",
                    models.ForeignKey(
                        to="library.author",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="books",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(name="Note", fields=[key(), ("text", models.TextField())]),
        migrations.CreateModel(
            name="Shelf",
            fields=[
                key(),
                ("books", models.ManyToManyField(to="library.book")),
                ("big", models.BigIntegerField(default=0)),
                ("blob", models.BinaryField(default=b"")),
                ("bright", models.BooleanField(default=False)),
                ("built", models.DateField(null=True)),
                ("dusted", models.DateTimeField(null=True)),
                ("width", models.DecimalField(decimal_places=4, max_digits=10, null=True)),
                ("lasts", models.DurationField(null=True)),
                ("weight", models.FloatField(null=True)),
                ("height", models.IntegerField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("labels", models.JSONField(default=dict)),
                ("visits", models.PositiveBigIntegerField(default=0)),
                ("floor", models.PositiveSmallIntegerField(default=0)),
                ("slug", models.SlugField(default="")),
                ("steps", models.SmallIntegerField(default=0)),
                ("notes", models.TextField(default="")),
                ("opens", models.TimeField(null=True)),
                ("key", models.UUIDField(default=uuid.uuid4)),
            ],
        ),
    )
