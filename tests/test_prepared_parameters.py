"""A parameter of a prepared statement means what its literal means, whatever came before it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.prepared import assert_same, both
from tests.test_values import MOMENT, Colour, Name, delta

Connect = Callable[..., forksafe.Connection]


@pytest.mark.parametrize("every", [2, 3, 7])
def test_nulls_stand_where_they_stood(connect: Connect, every: int) -> None:
    values = tuple(None if number % every == 0 else number for number in range(70))
    cursor = connect().cursor(prepared=True)
    cursor.execute(f"SELECT {', '.join(['%s'] * 70)}", values)
    assert cursor.fetchall() == (values,)


PARAMETERS = [
    None,
    True,
    False,
    0,
    -1,
    2**31,
    -(2**63),
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63) - 1,
    10**60,
    Colour.RED,
    0.1,
    -0.5,
    5e-324,
    1.7976931348623157e308,
    1e16,
    Decimal("0.10"),
    Decimal("-1E+3"),
    Decimal("1E-25"),
    Decimal("12345678901234567890123456789.0123456789"),
    "",
    "zß水🐬",
    "'\"\\%s%%?\0\n",
    Name("it's"),
    "x" * 300,
    "x" * 70_000,
    b"",
    bytes(range(256)),
    bytearray(b"a\0'"),
    memoryview(b"abcdef")[::2],
    datetime.date(26, 1, 2),
    MOMENT,
    MOMENT.replace(microsecond=1),
    MOMENT.replace(tzinfo=datetime.timezone.utc),
    datetime.time(1, 2, 3),
    datetime.time(1, 2, 3, 4),
    delta(0),
    delta(838, 59, 59),
    -delta(25, 0, 0, 1),
    datetime.timedelta(days=-1),
    uuid.UUID(int=255),
]


@pytest.mark.parametrize("value", PARAMETERS, ids=lambda value: repr(value)[:40])
def test_a_parameter_means_what_its_literal_means(
    connect: Connect, server: Server, value: Any
) -> None:
    connection = connect()
    of_its_own = as_it_is(value, server)
    assert_same(*both(connection, f"SELECT {of_its_own}", (value,)))
    number = "%s + 0" if server.is_mariadb or is_number(value) else of_its_own
    assert_same(
        *both(connection, f"SELECT COALESCE({of_its_own}, 'none'), {number}", (value, value))
    )


def as_it_is(value: Any, server: Server) -> str:
    """A parameter that answers `value`. MySQL takes from the statement of what type one is."""
    if server.is_mariadb or not isinstance(value, (bytes, bytearray, memoryview)):
        return "%s"
    return "CAST(%s AS BINARY)"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("TIME", delta(900)),
        ("DATE", MOMENT),
        ("TINYINT", 1000),
        ("VARCHAR(2)", "abc"),
        ("DATETIME", "not a day"),
        ("DECIMAL(3,1)", Decimal("1.25")),
    ],
)
@pytest.mark.parametrize("mode", ["", "STRICT_ALL_TABLES"])
def test_what_does_not_fit_a_column_fares_as_its_literal(
    connect: Connect, column: str, value: Any, mode: str
) -> None:
    connection = connect(sql_mode=mode)
    connection.cursor().execute(f"CREATE TEMPORARY TABLE t (v {column})")
    fared: list[Any] = []
    for prepared in (False, True):
        cursor = connection.cursor(prepared=prepared)
        try:
            cursor.execute("INSERT INTO t VALUES (%s)", (value,))
            cursor.execute("SELECT * FROM t")
            fared.append(cursor.fetchall())
        except forksafe.Error as error:
            fared.append(error.args[0])
        cursor.execute("DELETE FROM t")
    assert fared[0] == fared[1]


def test_a_statement_takes_parameters_of_another_type_each_time(
    connect: Connect, server: Server
) -> None:
    cursor = connect().cursor(prepared=True)
    bytes_too = [b"\xff"] if server.is_mariadb else []  # as_it_is()
    for value in (1, "a", None, 0.5, *bytes_too, Decimal("1.5"), 2**64 - 1, -1, "b"):
        cursor.execute("SELECT %s", (value,))
        (row,) = cursor.fetchall()
        assert_same(row, (value,))


def test_no_value_takes_the_type_of_the_one_before_it(connect: Connect) -> None:
    # MySQL would go on with a DOUBLE, in which text is 0.
    cursor = connect().cursor(prepared=True)
    for value in (5, 1.5, 5, Decimal("0.1"), "a", None, "a", 2**64 - 1, -5, None, 1.5):
        cursor.execute("SELECT %s", (value,))
        ((back,),) = cursor.fetchall()
        assert (type(back), back) == (type(value), value)
