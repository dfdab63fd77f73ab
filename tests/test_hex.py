"""What the server's own HEX() says of values, both ways: written by the driver, and read by it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe

Connect = Callable[..., forksafe.Connection]

LATIN = "VARCHAR(99) CHARACTER SET latin1"
EVERY_BYTE = bytes(range(256))
EVERY_ASCII = "".join(map(chr, range(128)))
POINT = "00000000" + "0101000000" + "000000000000F03F" + "0000000000000040"


def delta(text: str, sign: int = 1) -> datetime.timedelta:
    hours, minutes, seconds = text.split(":")
    clock = datetime.timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return sign * clock


# A column, a value, how HEX() is asked, and what it says.
STRINGS: list[tuple[str, Any, str]] = [
    ("CHAR(9)", "zß水🐬", "7A C39F E6B0B4 F09F90AC"),
    ("VARCHAR(200)", EVERY_ASCII, EVERY_ASCII.encode().hex()),
    ("TEXT", "a\0b\x1a'\"\\%s", "61 00 62 1A 27 22 5C 25 73"),
    ("LONGTEXT", "", ""),
    (LATIN, "é€\x81", "E9 80 81"),
    ("VARCHAR(9) CHARACTER SET utf16", "🐬", "D83D DC2C"),
    ("VARCHAR(9) CHARACTER SET sjis", "表", "95 5C"),
    ("VARCHAR(9) CHARACTER SET gbk", "縗", "BF 5C"),
    ("VARCHAR(9) CHARACTER SET big5", "許", "B3 5C"),
    ("VARBINARY(300)", EVERY_BYTE, EVERY_BYTE.hex()),
    ("BINARY(4)", b"a\0\xff'", "61 00 FF 27"),
    ("BLOB", b"\\'\"\0", "5C 27 22 00"),
    ("ENUM('a','ö','')", "ö", "C3B6"),
    ("SET('x','y z','ü')", "x,ü", "78 2C C3BC"),
    ("JSON", '{"ü": "\\\\"}', "7B 22 C3BC 22 3A 20 22 5C5C 22 7D"),
    ("POINT", bytes.fromhex(POINT), POINT),
]
OTHERS: list[tuple[str, Any, str]] = [
    ("TINYINT", -128, "-128"),
    ("BIGINT", -(2**63), "-9223372036854775808"),
    ("BIGINT UNSIGNED", 2**64 - 1, "18446744073709551615"),
    ("INT(5) ZEROFILL", 42, "00042"),
    ("YEAR", 2026, "2026"),
    ("FLOAT", 0.1, "0.1"),
    ("FLOAT", -1.5, "-1.5"),
    ("DOUBLE", 0.1, "0.1"),
    ("DOUBLE", 1e300, "1e300"),
    ("DECIMAL(65,30)", Decimal("-" + "1" * 35 + ".1" + "0" * 28 + "2"), ""),
    ("DECIMAL(10,2)", Decimal("0.10"), "0.10"),
    ("DATE", datetime.date(1000, 1, 1), "1000-01-01"),
    ("DATETIME(6)", datetime.datetime(2026, 2, 28, 23, 59, 59, 1), "2026-02-28 23:59:59.000001"),
    ("DATETIME(3)", datetime.datetime(2026, 2, 28, 0, 0, 0, 120000), "2026-02-28 00:00:00.120"),
    ("TIMESTAMP(6) NULL", datetime.datetime(2026, 2, 28, 1, 2, 3, 4), "2026-02-28 01:02:03.000004"),
    ("TIME(6)", delta("838:59:59", -1), "-838:59:59.000000"),
    ("TIME(6)", datetime.timedelta(microseconds=-1), "-00:00:00.000001"),
    ("TIME", delta("25:00:01"), "25:00:01"),
    ("BIT(12)", b"\x0f\x01", "3841"),
]
AS_TEXT = "HEX(CAST(v AS CHAR CHARACTER SET utf8mb4))"


def written(connection: forksafe.Connection, column: str, asked: str, value: Any, how: bool) -> str:
    """What the server says of a value that the driver has written."""
    cursor = connection.cursor(prepared=how)
    cursor.execute(f"CREATE TEMPORARY TABLE t (v {column})")
    cursor.execute("INSERT INTO t VALUES (%s)", (value,))
    cursor.execute(f"SELECT {asked} FROM t")
    ((told,),) = cursor.fetchall()
    cursor.execute("DROP TABLE t")
    assert isinstance(told, str)
    return told


def read(connection: forksafe.Connection, column: str, literal: str, how: bool) -> Any:
    """What the driver reads of a value that the server was told in digits."""
    cursor = connection.cursor(prepared=how)
    cursor.execute(f"CREATE TEMPORARY TABLE t (v {column})")
    cursor.execute(f"INSERT INTO t VALUES ({literal})")
    cursor.execute("SELECT v FROM t")
    ((value,),) = cursor.fetchall()
    cursor.execute("DROP TABLE t")
    return value


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(("column", "value", "digits"), STRINGS)
def test_text_and_bytes_are_what_hex_says(
    connect: Connect, column: str, value: Any, digits: str, prepared: bool
) -> None:
    digits = digits.replace(" ", "").upper()
    connection = connect()
    assert written(connection, column, "HEX(v)", value, prepared) == digits
    charset = column.partition("CHARACTER SET ")[2] or "utf8mb4"
    introducer = "" if isinstance(value, bytes) else f"_{charset} "
    back = read(connection, column, f"{introducer}X'{digits}'", prepared)
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(("column", "value", "text"), OTHERS)
def test_numbers_and_times_are_what_hex_says(
    connect: Connect, column: str, value: Any, text: str, prepared: bool
) -> None:
    connection = connect()
    text = text or str(value)
    asked = "HEX(CAST(v + 0 AS CHAR CHARACTER SET utf8mb4))" if "BIT" in column else AS_TEXT
    told = written(connection, column, asked, value, prepared)
    assert bytes.fromhex(told).decode() == text
    literal = text if "BIT" in column else f"CONVERT(X'{told}' USING utf8mb4)"
    back = read(connection, column, literal, prepared)
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("sql_mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
@pytest.mark.parametrize("prepared", [False, True])
def test_so_they_are_under_every_mode_of_quotes(
    connect: Connect, sql_mode: str, prepared: bool
) -> None:
    connection = connect(sql_mode=sql_mode)
    for column, value, digits in STRINGS:
        told = written(connection, column, "HEX(v)", value, prepared)
        assert told == digits.replace(" ", "").upper()
