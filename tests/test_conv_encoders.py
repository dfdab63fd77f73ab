"""An entry of `conv` for a class writes its values as SQL; what is no entry is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from forksafe import converters
from forksafe.constants import FIELD_TYPE
from forksafe.converters import conversions
from tests.answers import one

Connect = Callable[..., forksafe.Connection]


class Point:
    """A value of a program's own."""

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y


class Corner(Point):
    """A kind of it."""


def point_literal(point: Point, conv: Any) -> str:
    assert conv[FIELD_TYPE.TINY] is int
    return f"POINT({conv[int](point.x, conv)}, {point.y})"


def test_an_encoder_writes_the_values_of_its_class(connect: Connect) -> None:
    connection = connect(conv={**conversions, Point: point_literal})
    for point in (Point(1, 2), Corner(1, 2)):
        assert one(connection, "SELECT ST_AsText(%s)", (point,)) == "POINT(1 2)"
        assert connection.literal([point, 3]) == b"(POINT(1, 2),3)"
    cursor = connection.cursor()
    cursor.execute("CREATE TEMPORARY TABLE t (g POINT, i INT)")
    assert cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(Point(1, 2), 3)] * 2) == 2


def test_an_encoder_is_for_its_exact_class_where_the_driver_can_write_the_value(
    connect: Connect,
) -> None:
    class Count(int):
        pass

    encoders = {int: lambda value, conv: "'int'", str: lambda value, conv: b"'str'"}
    connection = connect(conv={**conversions, **encoders})
    assert connection.literal((1, Count(1), True, "x")) == b"('int',1,1,'str')"


def test_what_an_encoder_answers_is_encoded_for_the_connection(connect: Connect) -> None:
    connection = connect(charset="latin1", conv={**conversions, Point: lambda v, c: "'é'"})
    assert connection.literal(Point(1, 2)) == b"'\xe9'"
    assert one(connection, "SELECT %s", (Point(1, 2),)) == "é"


@pytest.mark.parametrize("answer", [1, None, object()])
def test_an_encoder_that_answers_no_sql_is_named(connect: Connect, answer: object) -> None:
    connection = connect(conv={**conversions, Point: lambda value, conv: answer})
    with pytest.raises(forksafe.ProgrammingError, match="a Point must answer str or bytes, not"):
        connection.literal(Point(1, 2))


def test_sql_of_an_encoder_is_no_value_of_a_prepared_statement(connect: Connect) -> None:
    connection = connect(conv={**conversions, Point: point_literal})
    with pytest.raises(forksafe.ProgrammingError, match=r"a Point cannot .* is SQL, not a value"):
        connection.cursor(prepared=True).execute("SELECT %s", (Point(1, 2),))
    assert one(connection, "SELECT 1") == 1


def test_an_error_of_an_encoder_comes_through(connect: Connect) -> None:
    connection = connect(conv={**conversions, Point: lambda value, conv: 1 // 0})
    with pytest.raises(ZeroDivisionError):
        connection.literal(Point(1, 2))


@pytest.mark.parametrize(
    "conv", [{"a": int}, {300: int}, {-1: int}, {FIELD_TYPE.LONG: 5}, {int: None}, {Point: [int]}]
)
def test_what_is_no_conversion_is_refused(connect: Connect, conv: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="conv is a dict"):
        connect(conv=conv)


def test_conv_is_a_dict(connect: Connect) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="conv is a dict"):
        connect(conv=[int])


LITERALS: list[Any] = [
    None,
    True,
    -5,
    2.0,
    1e-300,
    Decimal("1E+3"),
    datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime.timedelta(hours=-25, microseconds=7),
]


@pytest.mark.parametrize("value", LITERALS, ids=repr)
def test_the_function_of_a_class_writes_the_same_value_as_the_driver(
    connect: Connect, value: Any
) -> None:
    connection = connect()
    literal = conversions[type(value)](value, conversions)
    text = literal.decode() if isinstance(literal, bytes) else literal
    column = "TIME(6)" if isinstance(value, datetime.timedelta) else None
    same = f"CAST({text} AS {column}) = CAST(%s AS {column})" if column else f"{text} <=> %s"
    assert one(connection, f"SELECT {same}", (value,)) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), -Decimal("inf")])
def test_no_function_writes_a_number_that_mysql_has_not(value: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="MySQL has no such number"):
        conversions[type(value)](value, conversions)


@pytest.mark.parametrize("sql_mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_a_thing_in_quotes_means_the_same_on_every_connection(
    connect: Connect, sql_mode: str, charset: str
) -> None:
    connection = connect(sql_mode=sql_mode, charset=charset)
    for value in ("it's", 'a"b', "\\", "\\' OR 1=1 -- ", "é€", "é\\'", "", "\0\n", b"\xff\0'\\"):
        literal = converters.Thing2Literal(value, conversions)
        hexed = one(connection, b"SELECT HEX(CONVERT(" + literal + b" USING binary))")
        if isinstance(value, str):
            hexed = one(connection, b"SELECT HEX(CONVERT(" + literal + b" USING utf8mb4))")
            assert bytes.fromhex(hexed).decode() == value
        else:
            assert bytes.fromhex(hexed) == value
