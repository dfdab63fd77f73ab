"""`forksafe.cursors`: rows as dictionaries, classes of cursors, and how they are chosen."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pymysql
import pymysql.cursors
import pytest

import forksafe
from forksafe.cursors import Cursor, DictCursor, SSCursor, SSDictCursor
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]

DICT_CURSORS = (DictCursor, SSDictCursor)
DUPLICATES = (
    "SELECT 1 AS a, 2 AS a, 3 AS a, t.seq, u.seq, t.seq AS b, u.seq AS b"
    " FROM seq_1_to_2 t JOIN seq_3_to_4 u ORDER BY t.seq, u.seq"
)


def test_the_plain_cursor_is_the_drivers_own(connect: Connect) -> None:
    assert forksafe.cursors.Cursor is forksafe.Cursor
    assert type(connect().cursor()) is forksafe.Cursor


@pytest.mark.parametrize("kind", DICT_CURSORS)
def test_rows_are_dictionaries_however_they_are_fetched(connect: Connect, kind: Any) -> None:
    with connect().cursor(kind) as cursor:
        cursor.execute("SELECT seq AS n, IF(seq = 2, NULL, 'ä') AS `ü x` FROM seq_1_to_9")
        assert cursor.fetchone() == {"n": 1, "ü x": "ä"}
        assert list(cursor.fetchone()) == ["n", "ü x"]
        assert cursor.fetchmany(2) == ({"n": 3, "ü x": "ä"}, {"n": 4, "ü x": "ä"})
        assert next(cursor)["n"] == 5
        assert [row["n"] for row in cursor.fetchall()] == [6, 7, 8, 9]
        assert (cursor.fetchone(), cursor.fetchmany(2), cursor.fetchall()) == (None, (), ())
        cursor.execute("SELECT 1 AS n; SELECT 2 AS m")
        assert list(cursor) == [{"n": 1}]
        assert cursor.nextset()
        assert list(cursor) == [{"m": 2}]


@pytest.mark.parametrize("kind", DICT_CURSORS)
def test_a_later_column_of_a_name_is_named_with_its_table(connect: Connect, kind: Any) -> None:
    cursor = connect().cursor(kind)
    cursor.execute(DUPLICATES)
    # A table that is not there leaves ".a"; the third of them takes its place.
    wanted = {"a": 1, ".a": 3, "seq": 1, "u.seq": 3, "b": 1, "u.b": 3}
    row = cursor.fetchone()
    assert row == wanted
    assert list(row) == list(wanted)


def test_the_keys_are_those_of_the_field(connect: Connect, server: Server) -> None:
    cursor = connect().cursor(DictCursor)
    cursor.execute(DUPLICATES)
    account = {"user": server.user, "password": server.password, "database": server.database}
    place = {"host": server.host, "port": server.port, "unix_socket": server.unix_socket}
    witness = pymysql.connect(**place, **account)
    with witness, witness.cursor(pymysql.cursors.DictCursor) as other:
        other.execute(DUPLICATES)
        assert list(cursor.fetchall()) == list(other.fetchall())


def test_converters_apply_to_dictionaries_too(connect: Connect) -> None:
    cursor = connect(conv={8: lambda raw: f"<{raw.decode()}>"}).cursor(DictCursor)
    cursor.execute("SELECT seq FROM seq_1_to_1")
    assert cursor.fetchall() == ({"seq": "<1>"},)


@pytest.mark.parametrize("kind", [Cursor, DictCursor, SSCursor, SSDictCursor])
def test_a_class_of_the_users_own_serves(connect: Connect, kind: Any) -> None:
    class Counting(kind):  # type: ignore[misc]
        statements = 0

        def __init__(self, connection: forksafe.Connection, tag: str = "none") -> None:
            super().__init__(connection)
            self.tag = tag

        def execute(self, *args: Any) -> int:
            self.statements += 1
            return super().execute(*args)

    connection = connect()
    cursor = connection.cursor(Counting)
    assert isinstance(cursor, Counting)
    assert cursor.tag == "none"
    cursor.execute("SELECT %s AS a", (5,))
    cursor.execute("SELECT %s AS a", (6,))
    assert list(cursor) == ([{"a": 6}] if issubclass(kind, DICT_CURSORS) else [(6,)])
    assert (cursor.statements, cursor.connection) == (2, connection)
    assert Counting(connection, tag="x").tag == "x"


def test_a_class_of_two_kinds_is_of_both(connect: Connect) -> None:
    class Both(SSCursor, DictCursor): ...  # type: ignore[misc]

    cursor = connect().cursor(Both)
    assert cursor.execute("SELECT 1 AS a") == -1
    assert cursor.fetchall() == ({"a": 1},)


def test_a_cursor_takes_its_connection_and_nothing_else(connect: Connect) -> None:
    connection = connect()
    for args in ((), (5,), (connection, 5)):
        for kind in (Cursor, DictCursor):
            with pytest.raises(TypeError):
                kind(*args)


def test_a_cursor_in_a_circle_is_collected(connect: Connect) -> None:
    class Circular(SSCursor):
        me: Any

    connection = connect()
    cursor = connection.cursor(Circular)
    cursor.me = cursor
    cursor.execute("SELECT seq FROM seq_1_to_9")
    gone = weakref.ref(cursor)
    del cursor
    gc.collect()
    assert gone() is None
    connection.ping()


def test_the_option_cursorclass_says_what_a_connection_makes(connect: Connect) -> None:
    connection = connect(cursorclass=DictCursor)
    assert type(connection.cursor()) is DictCursor
    assert type(connection.cursor(SSCursor)) is SSCursor
    assert type(connection.cursor(Cursor)) is Cursor
    assert type(connect(cursorclass=None).cursor()) is Cursor


def test_the_option_cursorclass_is_one_of_pools_too(make_pool: Any) -> None:
    pool = make_pool(cursorclass=SSDictCursor)
    for _ in range(2):
        with pool.connection() as connection, connection.cursor() as cursor:
            assert type(cursor) is SSDictCursor
            cursor.execute("SELECT 1 AS a")
            assert cursor.fetchall() == ({"a": 1},)


def test_what_is_no_class_is_refused(connect: Connect, make_pool: Any, server: Server) -> None:
    for open_one in (connect, make_pool):
        with pytest.raises(forksafe.ProgrammingError, match="cursorclass is a class"):
            open_one(cursorclass="DictCursor")
    for name in ("cursorclass", "conv"):
        with pytest.raises(forksafe.ProgrammingError, match=f"{name} is a Python object"):
            forksafe.connect(server.url(**{name: "DictCursor"}))
    with pytest.raises(TypeError):
        connect().cursor("DictCursor")  # type: ignore[arg-type]


@pytest.mark.parametrize("place", ['"cursorclass": C', '"pool": {"cursorclass": C}'])
def test_django_refuses_another_class(run_python: Any, place: str) -> None:
    said = run_python(
        "from forksafe.cursors import DictCursor as C\n"
        "from django.conf import settings\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        f"base = {{'ENGINE': 'forksafe.django', 'OPTIONS': {{{place}}}}}\n"
        "settings.configure(DATABASES={'default': base})\n"
        "from django.db import connection\n"
        "try:\n"
        "    connection.ensure_connection()\n"
        "except ImproperlyConfigured as error:\n"
        "    print(error)\n"
    ).stdout
    assert said.startswith("OPTIONS['cursorclass'] of the database 'default': Django has cursors")
