"""The option `conv` has the meaning that it has with MySQLdb."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE, FLAG
from forksafe.converters import conversions
from tests.answers import one

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
