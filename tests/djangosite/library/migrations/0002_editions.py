"""Books get a title, pages and a price with cents; rows that are there already are kept."""

from typing import Any

from django.db import migrations, models


def found_the_library(apps: Any, schema_editor: Any) -> None:
    """Write rows in the middle of a migration, and take them back."""
    authors = apps.get_model("library", "Author").objects.using(schema_editor.connection.alias)
    authors.create(name="the founder").delete()


class Migration(migrations.Migration):
    """A column renamed, added, altered, indexed and constrained."""

    dependencies = (("library", "0001_initial"),)
    operations = (
        migrations.RenameField("book", "name", "title"),
        migrations.AlterField("book", "title", models.CharField(db_index=True, max_length=200)),
        migrations.AddField("book", "pages", models.PositiveIntegerField(default=1)),
        migrations.AlterField(
            "book", "price", models.DecimalField(decimal_places=2, default=0, max_digits=8)
        ),
        migrations.AlterField("author", "name", models.CharField(max_length=80, unique=True)),
        migrations.RunPython(found_the_library, migrations.RunPython.noop),
        migrations.AddConstraint(
            "book",
            models.UniqueConstraint(fields=("author", "title", "pages"), name="one_edition"),
        ),
        migrations.AddConstraint(
            "book",
            models.CheckConstraint(condition=models.Q(price__lt=1000), name="affordable"),
        ),
    )
