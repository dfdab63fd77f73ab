"""Values of every column type arrive as they were sent, both ways, byte for byte."""

from __future__ import annotations

import datetime
import enum
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE
from tests.answers import one

Connect = Callable[..., forksafe.Connection]


def delta(hours: int, minutes: int = 0, seconds: int = 0, micros: int = 0) -> datetime.timedelta:
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)


MOMENT = datetime.datetime(2026, 2, 28, 23, 59, 59)
ROUND_TRIPS = [
    ("TINYINT", -128),
    ("TINYINT UNSIGNED", 255),
    ("BOOL", 1),
    ("SMALLINT", -(2**15)),
    ("SMALLINT UNSIGNED", 2**16 - 1),
    ("MEDIUMINT", -(2**23)),
    ("MEDIUMINT UNSIGNED", 2**24 - 1),
    ("INT", -(2**31)),
    ("INT UNSIGNED", 2**32 - 1),
    ("BIGINT", -(2**63)),
    ("BIGINT UNSIGNED", 2**64 - 1),
    ("INT(5) ZEROFILL", 42),
    ("YEAR", 2026),
    ("YEAR", 0),
    ("FLOAT", 1.5),
    ("DOUBLE", 0.1),
    ("DOUBLE", -1.7976931348623157e308),
    ("DOUBLE", 2.2250738585072014e-308),
    ("DECIMAL(65,30)", Decimal("1" * 35 + "." + "123456789" * 3 + "012")),
    ("DECIMAL(65,0)", Decimal("-" + "9" * 65)),
    ("DECIMAL(10,2)", Decimal("0.10")),
    ("DATE", datetime.date(1000, 1, 1)),
    ("DATE", datetime.date(9999, 12, 31)),
    ("DATETIME", MOMENT),
    ("DATETIME(6)", MOMENT.replace(microsecond=1)),
    ("DATETIME(3)", MOMENT.replace(microsecond=120_000)),
    ("TIMESTAMP NULL", MOMENT),
    ("TIMESTAMP(6) NULL", MOMENT.replace(microsecond=999_999)),
    ("TIME", delta(0)),
    ("TIME", delta(838, 59, 59)),
    ("TIME", -delta(838, 59, 59)),
    ("TIME(6)", delta(25, 0, 0, 1)),
    ("TIME(6)", -delta(0, 0, 0, 1)),
    ("TIME(3)", -delta(12, 30, 1, 250_000)),
    ("CHAR(10)", "zß水🐬"),
    ("VARCHAR(100)", "'\"\\%s%%\0\n\r\x1a\t;--"),
    ("VARCHAR(100) CHARACTER SET latin1", "äöü€"),
    ("VARCHAR(100) CHARACTER SET utf16", "zß水🐬"),
    ("VARCHAR(100) COLLATE utf8mb4_bin", "Ää"),
    ("TINYTEXT", "🐬" * 60),
    ("TEXT", ""),
    ("MEDIUMTEXT", "水" * 70_000),
    ("LONGTEXT", "x" * 1_000_000),
    ("BINARY(4)", b"\0\xff\\'"),
    ("VARBINARY(300)", bytes(range(256))),
    ("TINYBLOB", b"\xff" * 255),
    ("BLOB", b""),
    ("MEDIUMBLOB", bytes(range(256)) * 300),
    ("LONGBLOB", b"\0" * 1_000_000),
    ("BIT(1)", b"\x01"),
    ("BIT(12)", b"\x0f\xff"),
    ("BIT(64)", b"\x80" + b"\0" * 6 + b"\x01"),
    ("ENUM('a','ö','')", "ö"),
    ("SET('x','y z','ü')", "x,ü"),
    ("JSON", '{"a": [1, "ü", null]}'),
]
COLUMN_TYPES = [*dict.fromkeys(kind for kind, _ in ROUND_TRIPS), "GEOMETRY", "POINT"]


@pytest.mark.parametrize(("column", "value"), ROUND_TRIPS)
def test_a_value_comes_back_as_it_went(connect: Connect, column: str, value: Any) -> None:
    connection = connect()
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t (v {column})")
    connection.cursor().execute("INSERT INTO t VALUES (%s)", (value,))
    back = one(connection, "SELECT v FROM t")
    assert back == value
    assert type(back) is type(value)
    # The server sees the same value, not one that only looks so after two conversions. (It compares
    # JSON as it is written, FLOAT with a wider DOUBLE, and BIT as a number.)
    if not column.startswith(("JSON", "FLOAT", "BIT")):
        assert one(connection, "SELECT v = %s FROM t", (value,)) == 1


def test_null_is_none_in_every_type(connect: Connect) -> None:
    connection = connect()
    columns = [f"c{number} {kind}" for number, kind in enumerate(COLUMN_TYPES)]
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t ({', '.join(columns)})")
    cursor = connection.cursor()
    cursor.execute(
        f"INSERT INTO t VALUES ({', '.join(['%s'] * len(columns))})", [None] * len(columns)
    )
    cursor.execute("SELECT * FROM t")
    assert cursor.fetchall() == ((None,) * len(columns),)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("CAST('0000-00-00' AS DATE)", None),
        ("CAST('2020-00-10' AS DATE)", None),
        ("CAST('2020-10-00 10:00:00' AS DATETIME)", None),
        ("CAST('0000-00-00 00:00:00' AS DATETIME(6))", None),
        ("TIME'-00:00:00.5'", -delta(0, 0, 0, 500_000)),
        ("SEC_TO_TIME(100*3600)", delta(100)),
        ("CURTIME() >= '00:00:00'", 1),
        ("1/3", Decimal("0.3333")),
        ("1e100", 1e100),
        ("POW(2, 0.5)", math.sqrt(2)),
        ("18446744073709551615", 2**64 - 1),
        ("NULL", None),
        ("''", ""),
        ("x'00ff'", b"\0\xff"),
        ("CAST('a' AS BINARY)", b"a"),
        ("CONCAT(1, 2)", "12"),
        ("JSON_OBJECT('a', 'ü')", '{"a": "ü"}'),
        ("JSON_EXTRACT('[1, \"ü\"]', '$[1]')", '"ü"'),
        ("ST_AsText(POINT(1, 2))", "POINT(1 2)"),
        ("CHAR(0xC3A4 USING utf8mb4)", "ä"),
    ],
)
def test_what_the_server_computes_is_read_by_its_type(
    connect: Connect, sql: str, value: Any
) -> None:
    connection = connect(sql_mode="")
    back = one(connection, f"SELECT {sql}")
    assert back == value
    assert type(back) is type(value)


def test_a_geometry_is_bytes_behind_its_reference_system(connect: Connect) -> None:
    back = one(connect(), "SELECT ST_GeomFromText('POINT(1 2)', 4326)")
    assert isinstance(back, bytes)
    assert back[:9].hex() == "e6100000" + "01" + "01000000"
    assert len(back) == 25


class Colour(enum.IntEnum):
    RED = 3


class Name(str):
    """Text of a program's own kind."""


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (True, 1),
        (Colour.RED, 3),
        (Name("it's"), "it's"),
        (bytearray(b"a\0'"), b"a\0'"),
        (memoryview(b"abcdef")[::2], b"ace"),
        (-0.5, -0.5),
        (5e-324, 5e-324),
        (2**64 - 1, 2**64 - 1),
        (Decimal("1E+3"), 1000),
        (Decimal("1E-25"), Decimal("1E-25")),
        (datetime.time(1, 2, 3, 4), "01:02:03.000004"),
        (datetime.date(26, 1, 2), "0026-01-02"),
        (datetime.timedelta(days=-1), "-24:00:00"),
        (MOMENT.replace(tzinfo=datetime.timezone.utc), "2026-02-28 23:59:59"),
        (uuid.UUID(int=255), "00000000-0000-0000-0000-0000000000ff"),
    ],
)
def test_a_parameter_of_another_type_is_written_as_one_of_sql(
    connect: Connect, value: Any, back: Any
) -> None:
    answered = one(connect(), "SELECT %s", (value,))
    assert answered == back
    assert type(answered) is type(back)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (object(), "object"),
        ({"a": 1}, "dict"),
        (1j, "complex"),
        (range(3), "range"),
        (int, "type"),
        (float("nan"), "NaN"),
        (float("-inf"), "-inf"),
        (Decimal("NaN"), "NaN"),
        (Decimal("Infinity"), "Infinity"),
        ([1, [object()]], "object"),
        ([], "empty list"),
    ],
)
def test_what_sql_cannot_say_is_refused_by_name(connect: Connect, value: Any, named: str) -> None:
    connection = connect()
    before = one(connection, "SELECT 1")
    with pytest.raises(forksafe.ProgrammingError, match=f"{named}.* cannot be a parameter"):
        connection.cursor().execute("SELECT %s", (value,))
    assert one(connection, "SELECT 1") == before


def test_a_float_is_a_double_and_a_decimal_is_exact(connect: Connect) -> None:
    connection = connect()
    assert one(connection, "SELECT %s + %s", (0.1, 0.2)) == 0.1 + 0.2
    total = one(connection, "SELECT %s + %s", (Decimal("0.1"), Decimal("0.2")))
    assert (type(total), total) == (Decimal, Decimal("0.3"))
    wide = Decimal("12345678901234567890123456789.0123456789")
    assert one(connection, "SELECT %s", (wide,)) == wide


def test_literals_are_bytes_that_can_stand_in_a_statement(connect: Connect) -> None:
    connection = connect()
    assert connection.literal("it's") == b"'it\\'s'"
    assert connection.escape_string(b"it's") == b"it\\'s"
    assert connection.literal(None) == b"NULL"


def test_text_that_is_not_unicode_is_refused_before_it_is_sent(connect: Connect) -> None:
    connection = connect()
    with pytest.raises(UnicodeEncodeError):
        connection.cursor().execute("SELECT %s", ("\ud800",))
    assert one(connection, "SELECT 1") == 1


def test_an_error_of_a_converter_comes_through_and_the_session_goes_on(connect: Connect) -> None:
    connection = connect(
        conv=dict.fromkeys((FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG), lambda text: 1 // 0)
    )
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError):
        cursor.fetchall()
    assert one(connection, "SELECT 'a'") == "a"
