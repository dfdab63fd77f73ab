"""The option `conv` has the meaning that it has with MySQLdb."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from forksafe import converters
from forksafe.constants import FIELD_TYPE, FLAG
from forksafe.converters import conversions

Connect = Callable[..., forksafe.Connection]

# A column of each kind, a literal, and what mysqlclient 2.3.1 gives to a callable of its type.
COLUMNS = [
    ("TINYINT", "2", FIELD_TYPE.TINY, b"2"),
    ("SMALLINT", "-3", FIELD_TYPE.SHORT, b"-3"),
    ("MEDIUMINT", "4", FIELD_TYPE.INT24, b"4"),
    ("INT", "1", FIELD_TYPE.LONG, b"1"),
    ("BIGINT", "3", FIELD_TYPE.LONGLONG, b"3"),
    ("YEAR", "2026", FIELD_TYPE.YEAR, b"2026"),
    ("FLOAT", "1.5", FIELD_TYPE.FLOAT, b"1.5"),
    ("DOUBLE", "2.5", FIELD_TYPE.DOUBLE, b"2.5"),
    ("DECIMAL(5,2)", "3.5", FIELD_TYPE.NEWDECIMAL, "3.50"),
    ("DATE", "'2026-01-02'", FIELD_TYPE.DATE, "2026-01-02"),
    ("DATETIME(2)", "'2026-01-02 03:04:05.6'", FIELD_TYPE.DATETIME, "2026-01-02 03:04:05.60"),
    ("TIMESTAMP", "'2026-01-02 03:04:05'", FIELD_TYPE.TIMESTAMP, "2026-01-02 03:04:05"),
    ("TIME", "'-01:02:03'", FIELD_TYPE.TIME, "-01:02:03"),
    ("BIT(9)", "b'101'", FIELD_TYPE.BIT, b"\0\x05"),
    ("POINT", "NULL", FIELD_TYPE.GEOMETRY, None),
    ("CHAR(3)", "'ü'", FIELD_TYPE.STRING, "ü".encode()),
    ("VARCHAR(3)", "'ü'", FIELD_TYPE.VAR_STRING, "ü".encode()),
    ("TEXT", "'ü'", FIELD_TYPE.BLOB, "ü".encode()),
    ("VARBINARY(3)", "x'ff'", FIELD_TYPE.VAR_STRING, b"\xff"),
    ("BLOB", "x'ff'", FIELD_TYPE.BLOB, b"\xff"),
    ("ENUM('a')", "'a'", FIELD_TYPE.STRING, b"a"),
]
NAMES = ", ".join(f"c{number} {kind}" for number, (kind, *_) in enumerate(COLUMNS))
VALUES = ", ".join(literal for _, literal, *_ in COLUMNS)


def row_of(connection: forksafe.Connection, prepared: bool = False) -> tuple[Any, ...]:
    """A row with a value of each kind, as this connection reads it."""
    cursor = connection.cursor(prepared=prepared)
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS t ({NAMES})")
    cursor.execute("DELETE FROM t")
    cursor.execute(f"INSERT INTO t VALUES ({VALUES})")
    cursor.execute("SELECT * FROM t")
    (row,) = cursor.fetchall()
    return row


def one(connection: forksafe.Connection, sql: str, args: Any = None) -> Any:
    """The single value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql, args)
    ((value,),) = cursor.fetchall()
    return value


@pytest.mark.parametrize("prepared", [False, True])
def test_a_callable_gets_what_mysqlclient_gives_to_it(connect: Connect, prepared: bool) -> None:
    given: list[tuple[int, Any]] = []

    def recorder(kind: int) -> Callable[[Any], None]:
        return lambda value: given.append((kind, value))

    conv = {**conversions, **{kind: recorder(kind) for _, _, kind, _ in COLUMNS}}
    row = row_of(connect(conv=conv), prepared)
    assert row == (None,) * len(COLUMNS)
    # NULL is None without a call.
    assert given == [(kind, value) for _, _, kind, value in COLUMNS if value is not None]


@pytest.mark.parametrize("prepared", [False, True])
def test_the_defaults_given_back_change_nothing(connect: Connect, prepared: bool) -> None:
    row = row_of(connect(), prepared)
    for conv in (conversions, {**conversions}, None):
        again = row_of(connect(conv=conv), prepared)
        assert again == row
        assert [type(value) for value in again] == [type(value) for value in row]


@pytest.mark.parametrize("prepared", [False, True])
def test_a_type_that_is_missing_comes_as_bytes_but_text_is_text(
    connect: Connect, prepared: bool
) -> None:
    row = row_of(connect(conv={}), prepared)
    for (kind, _, _, given), value in zip(COLUMNS, row, strict=True):
        if kind in ("CHAR(3)", "VARCHAR(3)", "TEXT", "ENUM('a')"):
            assert isinstance(given, bytes)
            assert value == given.decode()
        elif isinstance(given, str):
            assert value == given.encode()
        else:
            assert value == given


@pytest.mark.parametrize("prepared", [False, True])
def test_without_unicode_text_comes_as_bytes_and_the_rest_as_ever(
    connect: Connect, prepared: bool
) -> None:
    row = row_of(connect(), prepared)
    raw = row_of(connect(use_unicode=False), prepared)
    assert raw == tuple(v.encode() if isinstance(v, str) else v for v in row)
    assert b"\xc3\xbc" in raw
    connection = connect(use_unicode=False)
    cursor = connection.cursor()
    cursor.execute("SELECT JSON_OBJECT('ü', 1) AS ä")
    assert cursor.fetchone() == ('{"ü": 1}'.encode(),)
    assert cursor.description is not None
    assert cursor.description[0][0] == "ä"


def test_the_classes_of_text_and_bytes_stand_for_themselves(connect: Connect) -> None:
    own = {FIELD_TYPE.NEWDECIMAL: str, FIELD_TYPE.DATE: str, FIELD_TYPE.DOUBLE: bytes}
    connection = connect(conv={**conversions, **own, FIELD_TYPE.LONGLONG: None})
    for prepared in (False, True):
        cursor = connection.cursor(prepared=prepared)
        cursor.execute("SELECT 1.5, DATE'2026-01-02', 2.5e0, 12345678901")
        assert cursor.fetchone() == ("1.5", "2026-01-02", b"2.5", b"12345678901")


def test_a_decimal_can_be_a_float(connect: Connect) -> None:
    connection = connect(conv={**conversions, FIELD_TYPE.NEWDECIMAL: float})
    value = one(connection, "SELECT 0.1")
    assert (type(value), value) == (float, 0.1)


def test_text_columns_heed_a_callable_and_nothing_that_means_the_default(connect: Connect) -> None:
    # mysqlclient replaces whatever is there; a callable of the program's own is worth more.
    own = {FIELD_TYPE.VAR_STRING: json.loads, FIELD_TYPE.BLOB: str, FIELD_TYPE.STRING: None}
    cursor = connect(conv={**conversions, **own}).cursor()
    cursor.execute("CREATE TEMPORARY TABLE t (v VARCHAR(9), b BLOB, t TEXT, c CHAR(1))")
    cursor.execute("INSERT INTO t VALUES ('[1]', x'ff', 'ü', 'c')")
    cursor.execute("SELECT * FROM t")
    assert cursor.fetchone() == ([1], b"\xff", "ü", "c")


def test_the_first_pair_that_fits_the_columns_flags_counts(connect: Connect) -> None:
    def marked(mark: str) -> Callable[[Any], tuple[str, Any]]:
        return lambda value: (mark, value)

    pairs = [(FLAG.UNSIGNED, marked("unsigned")), (FLAG.NOT_NULL, int), (None, marked("rest"))]
    blobs = [(FLAG.BINARY, marked("binary"))]
    conv = {**conversions, FIELD_TYPE.LONG: pairs, FIELD_TYPE.BLOB: blobs}
    cursor = connect(conv=conv).cursor()
    cursor.execute(
        "CREATE TEMPORARY TABLE t (u INT UNSIGNED NOT NULL, n INT NOT NULL, i INT, b BLOB,"
        " v TEXT COLLATE utf8mb4_bin)"
    )
    cursor.execute("INSERT INTO t VALUES (1, 2, 3, 'b', 'v')")
    cursor.execute("SELECT * FROM t")
    assert cursor.fetchone() == (("unsigned", b"1"), 2, ("rest", b"3"), ("binary", b"b"), "v")


def test_where_no_pair_fits_it_is_bytes(connect: Connect) -> None:
    connection = connect(conv={**conversions, FIELD_TYPE.LONGLONG: [(FLAG.ZEROFILL, int)]})
    assert one(connection, "SELECT 12345678901") == b"12345678901"


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


def test_a_list_in_conv_has_pairs(connect: Connect) -> None:
    connection = connect(conv={**conversions, FIELD_TYPE.DOUBLE: [int]})
    with pytest.raises(forksafe.ProgrammingError, match=r"pairs \(mask, callable\)"):
        connection.cursor().execute("SELECT 1e0")


def test_a_dict_that_is_changed_later_changes_no_open_connection(connect: Connect) -> None:
    conv = {**conversions, FIELD_TYPE.DOUBLE: str}
    connection = connect(conv=conv)
    conv[FIELD_TYPE.DOUBLE] = bytes
    assert one(connection, "SELECT 1e0") == "1"


def test_changed_defaults_hold_for_connections_opened_from_then_on(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = connect()
    monkeypatch.setitem(conversions, FIELD_TYPE.DOUBLE, str)
    assert one(connect(), "SELECT 1e0") == "1"
    assert one(before, "SELECT 1e0") == 1


def test_a_pools_connections_convert_too(make_pool: Callable[..., forksafe.Pool]) -> None:
    pool = make_pool(conv={**conversions, FIELD_TYPE.DOUBLE: str}, use_unicode=False)
    with pool.connection() as connection:
        assert one(connection, "SELECT 1e0") == "1"
        assert one(connection, "SELECT 'a'") == b"a"


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
