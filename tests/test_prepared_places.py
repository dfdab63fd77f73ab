"""A prepared statement takes values where the server takes them; what it cannot take is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from tests.prepared import ask, counted

Connect = Callable[..., forksafe.Connection]
Table = Callable[..., str]


@pytest.mark.parametrize(
    ("sql", "args", "row"),
    [
        ("SELECT %s, '50%%', 7 %% %s", (1, 4), (1, "50%", 3)),
        ("SELECT '?', \"?\", 2 AS `a?`, %s -- ?\n /* ? */ # ?", (3,), ("?", "?", 2, 3)),
        ("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": "x"}, ("x", 1, "x")),
        ("SELECT '%s', '%%', '%(a)s', 7 % 4", None, ("%s", "%%", "%(a)s", 3)),
        ("SELECT /*!50000 %s */", (5,), (5,)),
        ("SELECT 'it''s', 'a\\'b', %s", (6,), ("it's", "a'b", 6)),
        ("SELECT 1", (), (1,)),
    ],
)
def test_places_are_where_the_server_takes_values(
    connect: Connect, sql: str, args: Any, row: tuple[Any, ...]
) -> None:
    assert ask(connect(), sql, args) == (row,)


def test_a_backslash_ends_no_string_where_it_escapes_nothing(connect: Connect) -> None:
    connection = connect(sql_mode="NO_BACKSLASH_ESCAPES")
    assert ask(connection, "SELECT '\\', %s", ("'\\",)) == (("\\", "'\\"),)


@pytest.mark.parametrize(
    ("sql", "args", "text"),
    [
        ("SELECT ?", (1,), "not `\\?`"),
        ("SELECT ?", None, "not `\\?`"),
        ("SELECT '%s'", (1,), "takes no value; here: %s'"),
        ("SELECT `%s`", (1,), "takes no value"),
        ("SELECT 1 -- %s", (1,), "takes no value"),
        ("SELECT /* %(a)s */ 1", {"a": 1}, "takes no value"),
        ("SELECT %s", ([1, 2],), "a list cannot be a parameter of a prepared statement"),
        ("SELECT %s", ((),), "a tuple cannot be a parameter of a prepared statement"),
        ("SELECT /*!999999 %s */ 1", (1,), "the server found 0 places"),
    ],
)
def test_what_cannot_be_prepared_as_meant_is_refused(
    connect: Connect, sql: str, args: Any, text: str
) -> None:
    connection = connect()
    with pytest.raises(forksafe.Error, match=text):
        ask(connection, sql, args)
    assert ask(connection, "SELECT %s", (1,)) == ((1,),)
    assert counted(connection, "execute") == 1


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("SELECT %s", ()),
        ("SELECT %s", (1, 2)),
        ("SELECT %s", {"a": 1}),
        ("SELECT %(a)s", {"b": 1}),
        ("SELECT %(a)s", (1,)),
        ("SELECT %d", (1,)),
        ("SELECT 5 % 2", (1,)),
        ("SELECT %s", "text"),
        ("SELECT %s", 5),
        ("SELECT %s", (object(),)),
        ("SELECT %s", ({"a": 1},)),
        ("SELECT %s", (float("nan"),)),
        ("SELECT %s", (float("-inf"),)),
        ("SELECT %s", (Decimal("NaN"),)),
        ("SELECT %s", ("\ud800",)),
        (5, None),
    ],
)
def test_what_is_refused_is_refused_as_by_a_plain_cursor(
    connect: Connect, sql: Any, args: Any
) -> None:
    connection = connect()
    refusals = []
    for prepared in (False, True):
        with pytest.raises((forksafe.ProgrammingError, UnicodeEncodeError)) as caught:
            connection.cursor(prepared=prepared).execute(sql, args)
        refusals.append((caught.type, caught.value.args))
    assert refusals[0] == refusals[1]
    assert counted(connection, "prepare") == 0


def test_a_refused_execution_leaves_the_statement_and_the_cursor_as_they_are(
    connect: Connect, table: Table
) -> None:
    connection = connect(autocommit=True)
    insert = f"INSERT INTO {table()} VALUES (%s)"
    cursor = connection.cursor(prepared=True)
    cursor.execute(insert, (1,))
    with pytest.raises(forksafe.IntegrityError) as caught:
        cursor.execute(insert, (1,))
    assert caught.value.args[0] == 1062
    assert cursor.execute(insert, (2,)) == 1
    assert counted(connection, "prepare") == 1


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("SELECT FROM", 1064),
        ("SELECT 1; SELECT 2", 1064),
        ("SELECT * FROM no_such_table", 1146),
        # What the server cannot prepare is not sent as a query behind the program's back.
        ("PREPARE s FROM 'SELECT 1'", 1295),
    ],
)
def test_what_the_server_does_not_prepare_is_its_error(
    connect: Connect, sql: str, errno: int
) -> None:
    connection = connect()
    cursor = connection.cursor(prepared=True)
    with pytest.raises(forksafe.Error) as caught:
        cursor.execute(sql)
    assert caught.value.args[0] == errno
    cursor.execute("SELECT 2")
    assert cursor.fetchall() == ((2,),)
    assert counted(connection, "execute") == 1
