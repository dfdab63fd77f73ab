"""A prepared cursor answers the same objects as a plain one, and gives converters the same text."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE
from tests.prepared import assert_same, both
from tests.test_values import COLUMN_TYPES, MOMENT, ROUND_TRIPS, delta

Connect = Callable[..., forksafe.Connection]


@pytest.mark.parametrize(("column", "value"), ROUND_TRIPS)
def test_a_value_comes_back_as_from_a_plain_cursor(
    connect: Connect, column: str, value: Any
) -> None:
    connection = connect()
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t (v {column})")
    assert connection.cursor(prepared=True).execute("INSERT INTO t VALUES (%s)", (value,)) == 1
    text, binary = both(connection, "SELECT v, v FROM t")
    assert_same(binary, text)
    assert_same(binary, (value, value))
    if not column.startswith(("JSON", "FLOAT", "BIT")):
        assert_same(*both(connection, "SELECT v = %s, v FROM t", (value,)))


def test_null_is_none_in_every_type_and_moves_no_other_value(connect: Connect) -> None:
    connection = connect()
    columns = [f"c{number} {kind}" for number, kind in enumerate(COLUMN_TYPES)]
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t ({', '.join(columns)}, last INT)")
    cursor = connection.cursor(prepared=True)
    places = ", ".join(["%s"] * len(columns))
    cursor.execute(f"INSERT INTO t VALUES ({places}, 7)", [None] * len(columns))
    text, binary = both(connection, "SELECT * FROM t")
    assert_same(binary, text)
    assert binary == (None,) * len(columns) + (7,)


@pytest.mark.parametrize(
    "sql",
    [
        "CAST('0000-00-00' AS DATE)",
        "CAST('2020-00-10' AS DATE)",
        "CAST('2020-10-00 10:00:00' AS DATETIME)",
        "CAST('0000-00-00 00:00:00' AS DATETIME(6))",
        "CAST('2020-02-29 00:00:00' AS DATETIME)",
        "CAST('2020-02-29 00:00:00.5' AS DATETIME(1))",
        "TIME'-00:00:00.5'",
        "TIME'00:00:00'",
        "SEC_TO_TIME(100*3600)",
        "SEC_TO_TIME(-838*3600)",
        "CURTIME() >= '00:00:00'",
        "1/3",
        "1e100",
        "-1e-300",
        "POW(2, 0.5)",
        "18446744073709551615",
        "-9223372036854775808",
        "1 = 1",
        "NULL",
        "''",
        "x'00ff'",
        "b'101'",
        "CAST('a' AS BINARY)",
        "CONCAT(1, 2)",
        "JSON_OBJECT('a', 'ü')",
        "JSON_EXTRACT('[1, \"ü\"]', '$[1]')",
        "ST_AsText(POINT(1, 2))",
        "ST_GeomFromText('POINT(1 2)', 4326)",
        "CHAR(0xC3A4 USING utf8mb4)",
        "NOW() > 0",
        "CAST('2026-01-02' AS DATE) + INTERVAL 1 DAY",
        "YEAR('2026-01-02')",
        "COUNT(*)",
        "SUM(1.5)",
        "AVG(2)",
        "GROUP_CONCAT('a')",
        "VERSION()",
    ],
)
def test_what_the_server_computes_is_the_same(connect: Connect, sql: str) -> None:
    assert_same(*both(connect(sql_mode=""), f"SELECT {sql}"))


def test_a_float_has_all_its_digits_and_no_more(connect: Connect) -> None:
    connection = connect()
    connection.cursor().execute("CREATE TEMPORARY TABLE t (v FLOAT, w FLOAT(7,4))")
    for value in (0.1, 1.5, -3.40282e38, 1.17549e-38, 123456.0):
        cursor = connection.cursor(prepared=True)
        cursor.execute("DELETE FROM t")
        cursor.execute("INSERT INTO t VALUES (%s, 999.0001)", (value,))
        text, binary = both(connection, "SELECT v, w FROM t")
        assert_same(binary, text)
    # The server writes six digits of a FLOAT as text; in binary it has all of them.
    connection.cursor().execute("UPDATE t SET v = 16777216")
    assert both(connection, "SELECT v FROM t") == [(16777200.0,), (16777216.0,)]


def test_a_float_of_fixed_decimals_is_as_exact_as_its_text(connect: Connect) -> None:
    connection = connect()
    connection.cursor().execute("CREATE TEMPORARY TABLE t (v FLOAT(9,2), w FLOAT(20,10))")
    for value in (1234567.89, 0.1, -1677721.6, 999.99):
        connection.cursor().execute("DELETE FROM t")
        connection.cursor().execute("INSERT INTO t VALUES (%s, %s)", (value, value))
        assert_same(*both(connection, "SELECT MIN(v), MIN(w), MAX(v) FROM t"))


@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_text_is_in_the_connections_character_set(connect: Connect, charset: str) -> None:
    connection = connect(charset=charset)
    assert_same(*both(connection, "SELECT %s, 'ü', HEX(%s)", ("äöü€", "äöü€")))
    with pytest.raises(UnicodeEncodeError):
        connection.cursor(prepared=True).execute("SELECT %s", ("\ud800",))


CONVERTED = [
    ("TINYINT", -5),
    ("INT(5) ZEROFILL", 42),
    ("BIGINT UNSIGNED", 2**64 - 1),
    ("YEAR", 0),
    ("YEAR", 2026),
    ("FLOAT", 0.1),
    ("FLOAT(7,2)", 1.5),
    ("DOUBLE", 2.0),
    ("DOUBLE", 0.1),
    ("DOUBLE(10,3)", 2.5),
    ("DECIMAL(10,2)", Decimal("0.10")),
    ("DATE", datetime.date(26, 1, 2)),
    ("DATE", "0000-00-00"),
    ("DATETIME", MOMENT),
    ("DATETIME(3)", MOMENT.replace(microsecond=120_000)),
    ("DATETIME", "0000-00-00"),
    ("TIMESTAMP(6) NULL", MOMENT.replace(microsecond=1)),
    ("TIME", delta(838, 59, 59)),
    ("TIME(6)", -delta(0, 0, 0, 1)),
    ("TIME(2)", delta(1)),
    ("VARCHAR(10)", "zß"),
    ("ENUM('a','ö')", "ö"),
    ("JSON", '{"a": 1}'),
    ("INT", None),
]


@pytest.mark.parametrize(("column", "value"), CONVERTED)
def test_a_converter_gets_the_same_text(connect: Connect, column: str, value: Any) -> None:
    codes = [code for name, code in vars(FIELD_TYPE).items() if name.isupper()]
    connection = connect(sql_mode="", conv={code: lambda text: ("text", text) for code in codes})
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t (v {column})")
    connection.cursor().execute("INSERT INTO t VALUES (%s)", (value,))
    text, binary = both(connection, "SELECT v FROM t")
    assert binary == text
    assert (binary == (None,)) == (value is None)


def test_an_error_of_a_converter_comes_through(connect: Connect) -> None:
    connection = connect(conv={FIELD_TYPE.LONG: lambda text: 1 // 0})
    cursor = connection.cursor(prepared=True)
    connection.cursor().execute("CREATE TEMPORARY TABLE t (v INT)")
    connection.cursor().execute("INSERT INTO t VALUES (1)")
    cursor.execute("SELECT v FROM t")
    with pytest.raises(ZeroDivisionError):
        cursor.fetchall()
    cursor.execute("SELECT 'a'")
    assert cursor.fetchall() == (("a",),)
