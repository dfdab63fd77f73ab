"""A plain Django project on `ENGINE = "forksafe.django"`."""

from __future__ import annotations

import datetime
import decimal
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.djangosite.settings import database

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")

SCENARIOS = Path(__file__).parent / "djangosite" / "scenarios"


def test_neither_mysqldb_nor_a_stand_in_for_it_is_imported(run_python: Any, server: Server) -> None:
    run_python((SCENARIOS / "without_mysqldb.py").read_text())


def test_each_kind_of_field_comes_back_as_it_was_saved() -> None:
    from tests.djangosite.library.models import Shelf

    values = {
        "big": -(2**63),
        "blob": bytes(range(256)),
        "bright": True,
        "built": datetime.date(1999, 12, 31),
        "dusted": datetime.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=datetime.timezone.utc),
        "width": decimal.Decimal("-123456.7891"),
        "lasts": -datetime.timedelta(days=3, microseconds=1),
        "weight": 0.1,
        "height": -(2**31),
        "address": "2001:db8::1",
        "labels": {"a": [1, None, "ü\\'\"%s\n"], "b": True},
        "visits": 2**63 - 1,
        "floor": 2**15 - 1,
        "slug": "a-slug_1",
        "steps": -(2**15),
        "notes": "Ω\0\\'\"%%s\x1a 🐍",
        "opens": datetime.time(23, 59, 59, 999999),
        "key": uuid.uuid4(),
    }
    pk = Shelf.objects.create(**values).pk
    found = Shelf.objects.get(pk=pk)
    assert {name: getattr(found, name) for name in values} == values
    for name, value in values.items():
        if name not in ("labels", "blob"):
            assert Shelf.objects.filter(**{name: value}).exists(), name


def test_a_time_column_is_a_time_of_day() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST('12:34:56.5' AS TIME(1)), CAST('00:00:00' AS TIME)")
        assert cursor.fetchone() == (datetime.time(12, 34, 56, 500000), datetime.time(0))


def test_the_orm_joins_aggregates_and_orders(server: Server) -> None:
    from django.db.models import Count, F, Max, Q

    from tests.djangosite.library.models import Author, Book

    ursula = Author.objects.create(name="Ursula", born=datetime.date(1929, 10, 21))
    boris = Author.objects.create(name="Boris")
    titles = ["A Wizard of Earthsea", "The Dispossessed", "100 % sure", "under_score"]
    books = [Book(title=t, author=ursula, pages=n, price=n) for n, t in enumerate(titles, 1)]
    made = Book.objects.bulk_create(books)
    assert all(book.pk for book in made) == server.is_mariadb  # which returns them
    assert Author.objects.annotate(n=Count("books")).get(name="Ursula").n == 4
    assert Book.objects.aggregate(Max("pages"))["pages__max"] == 4
    assert not Author.objects.filter(Q(books__title__contains="%") & Q(name="Boris")).exists()
    assert Book.objects.filter(title__contains="%").get().title == "100 % sure"
    assert Book.objects.filter(title__endswith="r_score").count() == 1
    assert Book.objects.filter(title__icontains="WIZARD", author__born__year=1929).count() == 1
    assert Book.objects.filter(title__regex="^The .*d$").count() == 1
    assert Book.objects.filter(pages__gt=F("price") - 1).count() == 4
    assert [b.pages for b in Book.objects.order_by("-pages").iterator(chunk_size=2)] == [4, 3, 2, 1]
    assert Book.objects.select_related("author").first().author == ursula
    assert list(Author.objects.prefetch_related("books").get(pk=boris.pk).books.all()) == []


def test_an_update_counts_the_rows_it_found_not_those_it_changed() -> None:
    from tests.djangosite.library.models import Author

    author = Author.objects.create(name="Ursula")
    assert Author.objects.filter(pk=author.pk).update(name="Ursula") == 1
    author.save(force_update=True)


def test_atomic_commits_and_rolls_back_with_savepoints() -> None:
    from django.db import connection, transaction

    from tests.djangosite.library.models import Author

    ran = []
    with transaction.atomic():
        Author.objects.create(name="kept")
        transaction.on_commit(lambda: ran.append("kept"))
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Author.objects.create(name="taken back")
            transaction.on_commit(lambda: ran.append("taken back"))
            raise ZeroDivisionError
        assert Author.objects.select_for_update().get().name == "kept"
        assert not ran
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Author.objects.all().delete()
        raise ZeroDivisionError
    assert (Author.objects.get().name, ran) == ("kept", ["kept"])
    assert connection.get_autocommit()


def test_transactions_by_hand_commit_and_roll_back() -> None:
    from django.db import connections, transaction

    from tests.djangosite.library.models import Author

    transaction.set_autocommit(False)
    Author.objects.create(name="taken back")
    transaction.rollback()
    Author.objects.create(name="kept")
    assert not Author.objects.using("brief").exists()
    transaction.commit()
    transaction.set_autocommit(True)
    assert Author.objects.using("brief").get().name == "kept"
    connections["brief"].close()


def test_the_admin_adds_changes_and_deletes() -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.djangosite.library.models import Author

    User.objects.filter(username="admin").delete()
    User.objects.create_superuser("admin", password="secret")
    client = Client()
    assert client.login(username="admin", password="secret")
    add = "/admin/library/author/add/"
    assert client.get(add).status_code == 200
    assert client.post(add, {"name": "Ursula", "born": "1929-10-21"}).status_code == 302
    page = f"/admin/library/author/{Author.objects.get(name='Ursula').pk}"
    assert b"Ursula" in client.get("/admin/library/author/?q=").content
    assert client.post(f"{page}/change/", {"name": "Boris", "born": ""}).status_code == 302
    assert Author.objects.get().name == "Boris"
    assert b"Author with this Name already exists." in client.post(add, {"name": "Boris"}).content
    assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 302
    assert not Author.objects.exists()


def test_a_broken_constraint_is_an_integrity_error() -> None:
    from django.db import IntegrityError, connection

    from tests.djangosite.library.models import Author, Book

    author = Author.objects.create(name="Ursula")
    broken: list[Callable[[], Any]] = [
        lambda: Author.objects.create(name="Ursula"),
        lambda: Author.objects.create(name=None),
        lambda: Book.objects.create(title="dear", author=author, price=1000),
        lambda: Book.objects.create(title="nobody's", author_id=author.pk + 1),
    ]
    for attempt in broken:
        with pytest.raises(IntegrityError):
            attempt()
    connection.check_constraints()


@pytest.mark.parametrize("level", ["read committed", "REPEATABLE READ", None])
def test_the_isolation_level_of_the_options_is_set(server: Server, level: str | None) -> None:
    from django.db import connections

    expected = level or server.variable(server.isolation).replace("-", " ")
    for pool in (None, True):
        given = {"isolation_level": level, "pool": pool}
        wrapper = connections["default"].copy("isolated")
        wrapper.settings_dict.update(database(server, OPTIONS=given), CONN_MAX_AGE=0)
        with wrapper.cursor() as cursor:
            cursor.execute(f"SELECT @@{server.isolation}")
            assert cursor.fetchone()[0].replace("-", " ").lower() == expected.lower()
        wrapper.close()
        wrapper.close_pool(force=True)


def test_an_unknown_isolation_level_is_refused(server: Server) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections

    wrapper = connections["default"].copy("isolated")
    wrapper.settings_dict["OPTIONS"]["isolation_level"] = "chaos"
    with pytest.raises(ImproperlyConfigured, match="'chaos'.*\n.*'read committed'"):
        wrapper.ensure_connection()


@pytest.mark.parametrize(
    ("changes", "number", "text"),
    [
        ({"PASSWORD": "wrong-secret"}, 1045, "denied"),
        ({"NAME": "no_such_database"}, 1049, "no_such_database"),
        ({"HOST": "127.0.0.1", "PORT": 1}, 2003, "127.0.0.1"),
    ],
)
def test_a_refused_log_in_is_an_operational_error_without_the_password(
    changes: dict[str, Any], number: int, text: str
) -> None:
    from django.db import OperationalError, connections

    wrapper = connections["default"].copy("refused")
    wrapper.settings_dict.update(changes)
    for _ in range(2):
        with pytest.raises(OperationalError, match=text) as caught:
            wrapper.ensure_connection()
        assert caught.value.args[0] == number
        assert "secret" not in str(caught.value)


def test_an_unknown_option_is_named() -> None:
    from django.db import ProgrammingError, connections

    wrapper = connections["default"].copy("misspelt")
    wrapper.settings_dict["OPTIONS"]["conect_timeout"] = 3
    with pytest.raises(ProgrammingError, match="conect_timeout"):
        wrapper.ensure_connection()


def test_a_wrapper_serves_another_thread_only_when_shared() -> None:
    from django.db import DatabaseError, connection

    def query() -> Any:
        try:
            with connection_of_main.cursor() as cursor:
                cursor.execute("SELECT 7")
                return cursor.fetchone()[0]
        except DatabaseError as error:
            return str(error)

    def in_thread() -> Any:
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(query()))
        thread.start()
        thread.join()
        return answers[0]

    connection.ensure_connection()
    connection_of_main = connection._connections[connection._alias]
    assert "can only be used in that same thread" in in_thread()
    connection_of_main.inc_thread_sharing()
    assert in_thread() == 7
    connection_of_main.dec_thread_sharing()
    assert query() == 7


def test_lazy_text_is_a_parameter_as_text() -> None:
    from django.db import connection
    from django.utils.functional import SimpleLazyObject, lazystr

    from tests.djangosite.library.models import Author

    Author.objects.create(name="z'")
    assert Author.objects.filter(name=SimpleLazyObject(lambda: "z'")).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, %s", [lazystr("it's"), Path("a/b")])
        assert cursor.fetchone() == ("it's", "a/b")


def test_a_statement_without_rows_has_none_to_fetch() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET @a = 1")
        assert (cursor.fetchall(), cursor.fetchone()) == ((), None)
