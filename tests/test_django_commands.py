"""Django's commands: migrate, inspectdb, dbshell; and what they ask of the backend."""

from __future__ import annotations

import io
from typing import Any

import pytest

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")


def test_migrations_run_backwards_and_forwards() -> None:
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", "library", "zero", verbosity=0)
    with connection.cursor() as cursor:
        assert "library_book" not in connection.introspection.table_names(cursor)
    call_command("migrate", verbosity=0)
    call_command("makemigrations", "library", check=True, dry_run=True, verbosity=0)


def test_inspectdb_tells_each_kind_of_column() -> None:
    from django.core.management import call_command

    out = io.StringIO()
    call_command("inspectdb", "library_shelf", "library_book", stdout=out)
    told = out.getvalue()
    for kind in (
        "id = models.BigAutoField(primary_key=True)",
        "big = models.BigIntegerField()",
        "built = models.DateField(blank=True, null=True)",
        "dusted = models.DateTimeField(blank=True, null=True)",
        "width = models.DecimalField(max_digits=10, decimal_places=4, blank=True, null=True)",
        "weight = models.FloatField(blank=True, null=True)",
        "address = models.CharField(max_length=39, blank=True, null=True)",
        "labels = models.JSONField()",
        "visits = models.PositiveBigIntegerField()",
        "floor = models.PositiveSmallIntegerField()",
        "slug = models.CharField(max_length=50)",
        "steps = models.SmallIntegerField()",
        "notes = models.TextField()",
        "opens = models.TimeField(blank=True, null=True)",
        "pages = models.PositiveIntegerField()",
        "unique_together = (('author', 'title', 'pages'),)",
    ):
        assert kind in told, told


def test_constraints_and_relations_are_told() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "library_book")
        relations = connection.introspection.get_relations(cursor, "library_book")
        sequences = connection.introspection.get_sequences(cursor, "library_book")
    assert constraints["PRIMARY"]["columns"] == ["id"]
    assert constraints["one_edition"]["columns"] == ["author_id", "title", "pages"]
    assert constraints["one_edition"]["unique"]
    assert constraints["affordable"]["check"]
    assert constraints["affordable"]["columns"] == ["price"]
    [foreign] = [c for c in constraints.values() if c["foreign_key"]]
    assert foreign["foreign_key"] == ("library_author", "id")
    assert [c["type"] for c in constraints.values() if c["columns"] == ["title"]] == ["idx"]
    assert relations["author_id"][:2] == ("id", "library_author")
    assert sequences == [{"table": "library_book", "column": "id"}]


def test_introspection_opens_no_other_table_than_the_one_it_asks_about() -> None:
    from django.db import connection

    from forksafe.django import catalog

    if not connection.mysql_is_mariadb:
        pytest.skip("MySQL keeps these facts in tables of their own, and opens none")
    of_one_table = (
        *(catalog.COLUMNS, catalog.ENGINE),
        *(catalog.RELATIONS, catalog.DELETE_RULES, catalog.KEYS),
    )
    with connection.cursor() as cursor:
        for asked in of_one_table:
            named = {"table": "library_book"} if "%(table)s" in asked else ["library_book"]
            cursor.execute(f"EXPLAIN {asked}", named)
            told = " ".join(str(row[-1]) for row in cursor.fetchall())
            assert "Scanned 0 databases" in told, asked
            assert "Scanned all" not in told, asked


def test_a_row_without_its_parent_is_found() -> None:
    from django.db import IntegrityError, connection

    from tests.djangosite.library.models import Author, Book

    with connection.constraint_checks_disabled():
        orphan = Book.objects.create(title="nobody's", author_id=12345)
    connection.check_constraints(table_names=[Author._meta.db_table])
    with pytest.raises(IntegrityError, match=rf"primary key {orphan.pk} has an invalid foreign"):
        connection.check_constraints()


def test_the_command_line_client_gets_the_files_of_tls() -> None:
    from django.db import connections

    client = connections["default"].client
    settings = {"HOST": "db", "PORT": 3307, "USER": "u", "PASSWORD": "p", "NAME": "n"}
    options = {"ssl": True, "ssl_ca": "/ca.pem", "unix_socket": None}
    command, environment = client.settings_to_cmd_args_env({**settings, "OPTIONS": options}, [])
    expected = ["--user=u", "--host=db", "--port=3307", "--ssl-ca=/ca.pem", "n"]
    assert (command[1:], environment) == (expected, {"MYSQL_PWD": "p"})
    options = {"ssl": {"ca": "/own.pem"}, "unix_socket": "/run/sock"}
    command, _ = client.settings_to_cmd_args_env({**settings, "OPTIONS": options}, [])
    assert "--socket=/run/sock" in command
    assert "--ssl-ca=/own.pem" in command


@pytest.mark.parametrize("answer", ["asked", ("asked", 900)])
def test_the_command_line_client_gets_credentials_that_are_asked_for(answer: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    client = connections["default"].client
    account = {"USER": lambda: answer, "PASSWORD": lambda: answer}
    settings = {"HOST": "db", "PORT": "", "NAME": "n", "OPTIONS": {}}
    expected = ["--user=asked", "--host=db", "n"]
    command, environment = client.settings_to_cmd_args_env({**settings, **account}, [])
    assert (command[1:], environment) == (expected, {"MYSQL_PWD": "asked"})
    settings |= {"USER": "u", "PASSWORD": "p", "OPTIONS": {"user": lambda: answer}}
    settings["OPTIONS"] |= {"passwd": lambda: answer}
    command, environment = client.settings_to_cmd_args_env(settings, [])
    assert (command[1:], environment) == (expected, {"MYSQL_PWD": "asked"})
    with pytest.raises(ImproperlyConfigured, match="PASSWORD answered int, not text"):
        client.settings_to_cmd_args_env({**settings, "PASSWORD": lambda: 5}, [])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("db", ["--host=db", "--port=3310"]),
        ("db, other:3307", ["--host=db", "--port=3310"]),
        ("db:3307,other", ["--host=db", "--port=3307"]),
        ("[::1]:3308,other", ["--host=::1", "--port=3308"]),
        ("::1,other", ["--host=::1", "--port=3310"]),
        ("[fe80::2]", ["--host=fe80::2", "--port=3310"]),
        ("/run/sock", ["--socket=/run/sock", "--port=3310"]),
        ("", ["--port=3310"]),
    ],
)
def test_the_command_line_client_gets_the_first_of_several_hosts(
    host: str, expected: list[str]
) -> None:
    from django.db import connections

    settings = {"HOST": host, "PORT": 3310, "USER": "", "PASSWORD": "", "NAME": "", "OPTIONS": {}}
    command, _ = connections["default"].client.settings_to_cmd_args_env(settings, [])
    assert command[1:] == expected
