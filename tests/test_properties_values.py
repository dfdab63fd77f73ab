"""Any value of any type comes back equal, and the server has had the same."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import forksafe
from scripts.mariadb_server import Server
from tests import properties as some

# A column, what it can hold, and what the server is asked of it besides.
AS_TEXT = "HEX(CAST({0} AS CHAR CHARACTER SET utf8mb4))"
RAW = "HEX({0})"
COLUMNS: dict[str, tuple[str, st.SearchStrategy[Any], str]] = {
    "v": ("LONGTEXT CHARACTER SET utf8mb4", some.texts, RAW),
    "b": ("LONGBLOB", some.blobs, RAW),
    "i": ("BIGINT", some.longs, AS_TEXT),
    "u": ("BIGINT UNSIGNED", some.unsigned_longs, AS_TEXT),
    "d": ("DOUBLE", some.floats, RAW),
    "n": ("DECIMAL(65,30)", some.decimals(65, 30), AS_TEXT),
    "w": ("DECIMAL(65,0)", some.wide_integers.map(Decimal), AS_TEXT),
    "a": ("DATE", some.days, AS_TEXT),
    "m": ("DATETIME(6)", some.moments, AS_TEXT),
    "s": ("TIME(6)", some.spans, AS_TEXT),
}
TABLE = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
NAMES = ", ".join(COLUMNS)
PLACES = ", ".join(["%s"] * len(COLUMNS))
ASKED = ", ".join(question.format(name) for name, (_, _, question) in COLUMNS.items())

rows = st.tuples(*(st.none() | values for _, values, _ in COLUMNS.values()))


@pytest.fixture(scope="module")
def connection(server: Server) -> Iterator[forksafe.Connection]:
    """With a table of a column of each kind; nothing of it is committed."""
    with forksafe.connect(**server.connect_kwargs()) as connection:
        connection.cursor().execute(f"CREATE TEMPORARY TABLE t ({TABLE})")
        yield connection


def said(value: Any) -> Any:
    """What the server's HEX() must say of a value."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        return (value.encode() if isinstance(value, str) else value).hex().upper()
    if isinstance(value, datetime.datetime):
        text = value.isoformat(" ", "microseconds")
    elif isinstance(value, datetime.timedelta):
        seconds, micros = divmod(abs(value) // datetime.timedelta(microseconds=1), 10**6)
        sign = "-" if value < datetime.timedelta(0) else ""
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        text = f"{sign}{clock}.{micros:06}"
    elif isinstance(value, Decimal):
        text = format(value, "f")
        text = text.lstrip("-") if not value else text
    else:
        text = str(value)
    return text.encode().hex().upper()


@given(rows, st.booleans(), st.booleans())
def test_a_row_of_all_types_comes_back_as_it_went(
    connection: forksafe.Connection, row: tuple[Any, ...], prepared: bool, by_name: bool
) -> None:
    cursor = connection.cursor(prepared=prepared)
    cursor.execute("DELETE FROM t")
    if by_name:
        places = ", ".join(f"%({name})s" for name in COLUMNS)
        args: Any = dict(zip(COLUMNS, row, strict=True))
        cursor.execute(f"INSERT INTO t VALUES ({places})", args)
    else:
        cursor.execute(f"INSERT INTO t VALUES ({PLACES})", row)
    assert connection.warning_count() == 0
    for reads_prepared in (False, True):
        reader = connection.cursor(prepared=reads_prepared)
        reader.execute(f"SELECT {NAMES} FROM t")
        (back,) = reader.fetchall()
        assert back == row
        assert [type(value) for value in back] == [type(value) for value in row]
        reader.execute(f"SELECT {ASKED} FROM t")
        (told,) = reader.fetchall()
        for name, value, answer in zip(COLUMNS, row, told, strict=True):
            if name != "d":  # of a DOUBLE, HEX() tells the nearest whole number
                assert answer == said(value), name


@some.few
@given(st.lists(rows, min_size=1, max_size=8))
def test_many_rows_at_once_come_back_as_they_went(
    connection: forksafe.Connection, many: list[tuple[Any, ...]]
) -> None:
    cursor = connection.cursor()
    cursor.execute("DELETE FROM t")
    assert cursor.executemany(f"INSERT INTO t VALUES ({PLACES})", many) == len(many)
    cursor.execute(f"SELECT {NAMES} FROM t")
    back = cursor.fetchall()
    assert len(back) == len(many)
    # A temporary table of InnoDB without a key answers them as they came.
    assert back == tuple(many)


VALUES = (
    some.texts
    | some.blobs
    | some.longs
    | some.unsigned_longs
    | some.wide_integers
    | some.floats
    | some.decimals(65, 38)
    | st.none()
)


@given(VALUES, st.booleans())
def test_a_value_that_is_only_asked_back_is_equal(
    connection: forksafe.Connection, value: Any, prepared: bool
) -> None:
    cursor = connection.cursor(prepared=prepared and some.tells_types_late(connection))
    cursor.execute("SELECT %s", (value,))
    ((back,),) = cursor.fetchall()
    assert back == value
    if isinstance(value, (str, bytes, float)):
        assert type(back) is type(value)


@given(some.days | some.moments | some.spans | some.clocks | some.uuids, st.booleans())
def test_what_is_written_as_text_is_the_text_that_the_server_reads(
    connection: forksafe.Connection, value: Any, prepared: bool
) -> None:
    kind = {
        datetime.datetime: "DATETIME(6)",
        datetime.date: "DATE",
        datetime.timedelta: "TIME(6)",
        datetime.time: "TIME(6)",
    }.get(type(value), "CHAR")
    cursor = connection.cursor(prepared=prepared)
    cursor.execute(f"SELECT CAST(%s AS {kind})", (value,))
    ((back,),) = cursor.fetchall()
    if isinstance(value, datetime.time):
        midnight = datetime.datetime.min
        assert midnight + back == datetime.datetime.combine(midnight, value)
    elif kind == "CHAR":
        assert back == str(value)
    else:
        assert back == value


@given(st.lists(some.texts, min_size=1, max_size=5), some.texts, st.booleans())
def test_a_group_holds_what_it_holds(
    connection: forksafe.Connection, group: list[str], other: str, as_bytes: bool
) -> None:
    members: list[Any] = [text.encode() for text in group] if as_bytes else group
    asked: Any = other.encode() if as_bytes else other
    cursor = connection.cursor()
    # By its bytes: a collation takes more for equal than Python does.
    cursor.execute(
        "SELECT HEX(%s) IN (" + ", ".join(["HEX(%s)"] * len(members)) + ")", [asked, *members]
    )
    assert cursor.fetchone() == (int(asked in members),)
    cursor.execute("SELECT BINARY %s IN %s", (members[-1], members))
    assert cursor.fetchone() == (1,)
