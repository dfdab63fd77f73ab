"""Values of other kinds than SQL's own are parameters as what they are, or are refused."""

from __future__ import annotations

import array
import datetime
import enum
import types
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from tests.properties import tells_types_late

Connect = Callable[..., forksafe.Connection]


def literal(connection: forksafe.Connection, value: Any) -> str:
    return connection.literal(value).decode("latin-1")


class Colour(enum.Enum):
    RED = "r'"
    THREE = 3
    HALF = Decimal("0.5")
    NONE = None
    DAY = datetime.date(2026, 1, 2)
    RAW = b"\xff"


class Level(str, enum.Enum):
    HIGH = "h"


class Permission(enum.Flag):
    READ = 4
    WRITE = 2


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        (Colour.RED, "r'"),
        (Colour.THREE, 3),
        (Colour.HALF, Decimal("0.5")),
        (Colour.NONE, None),
        (Colour.DAY, "2026-01-02"),
        (Colour.RAW, b"\xff"),
        (Level.HIGH, "h"),
        (Permission.READ | Permission.WRITE, 6),
    ],
)
def test_a_member_of_an_enum_is_its_value(
    connect: Connect, member: enum.Enum, value: Any, prepared: bool
) -> None:
    connection = connect()
    if prepared and isinstance(value, bytes) and not tells_types_late(connection):
        pytest.skip("MySQL answers a prepared SELECT of a parameter with text")
    cursor = connection.cursor(prepared=prepared)
    cursor.execute("SELECT %s", (member,))
    assert cursor.fetchone() == (value,)


def test_a_member_whose_value_sql_cannot_say_is_refused_by_its_class(connect: Connect) -> None:
    class Odd(enum.Enum):
        PAIR = (1, 2)
        THING = object()

    for member, named in ((Odd.PAIR, "Odd"), (Odd.THING, "object")):
        with pytest.raises(forksafe.ProgrammingError, match=f"{named} cannot be a parameter"):
            connect().literal(member)


def test_a_set_of_text_is_the_value_of_a_set_column(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("CREATE TEMPORARY TABLE t (s SET('a','b''c','d'))")
    cursor.execute("INSERT INTO t VALUES (%s), (%s)", ({"d", "a", "b'c"}, frozenset()))
    cursor.execute("SELECT s FROM t ORDER BY LENGTH(s)")
    assert cursor.fetchall() == (("",), ("a,b'c,d",))


@pytest.mark.parametrize("members", [{1}, {"a,b"}, {"a", None}, frozenset({b"a"})])
def test_a_set_of_anything_else_is_refused(connect: Connect, members: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="cannot be in a set .* pass a list"):
        connect().literal(members)


def test_an_array_is_its_bytes(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("SELECT %s", (array.array("H", [1, 0x2227]),))
    assert cursor.fetchone() == (array.array("H", [1, 0x2227]).tobytes(),)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (10**65 - 1, "9" * 65),
        (-(10**65) + 1, "-" + "9" * 65),
        (Decimal("9" * 65 + ".5"), "9" * 65 + ".5"),
        (Decimal("1E-999999999"), "0.0"),
        (Decimal("0E+999999999"), "0"),
        (Decimal("0E-999999999"), "0"),
    ],
)
def test_a_number_may_have_as_many_digits_as_a_decimal(
    connect: Connect, value: Any, written: str
) -> None:
    assert literal(connect(), value) == written


@pytest.mark.parametrize("value", [10**65, -(10**65), Decimal("1E+65")])
def test_a_number_that_the_server_would_clip_is_refused(connect: Connect, value: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="65 digits before the point"):
        connect().literal(value)


def test_no_number_fills_the_memory_or_takes_ages(connect: Connect) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="an int of 500001 bits"):
        connect().literal(1 << 500_000)
    with pytest.raises(forksafe.ProgrammingError, match="a Decimal cannot be a parameter"):
        connect().literal(Decimal("1E+999999999"))


def test_what_a_subclass_says_of_itself_never_becomes_sql(connect: Connect) -> None:
    lies: dict[str, Any] = {
        name: lambda self, *args: "1); DROP TABLE t; -- "
        for name in ("__str__", "__repr__", "__format__", "isoformat", "encode", "hex")
    }
    lies["is_finite"] = lambda self: True

    def liar(kind: Any, *args: Any) -> Any:
        return types.new_class("Liar", (kind,), exec_body=lambda body: body.update(lies))(*args)

    connection = connect()
    for value, written in [
        (liar(int, 7), "7"),
        (liar(int, 2**70), str(2**70)),
        (liar(float, 0.5), "0.5e0"),
        (liar(Decimal, "0.5"), "0.5"),
        (liar(str, "é'"), "'é\\''"),
        (liar(bytes, b"'"), "_binary'\\''"),
        (liar(datetime.date, 2026, 1, 2), "'2026-01-02'"),
        (liar(datetime.datetime, 2026, 1, 2), "'2026-01-02 00:00:00'"),
        (liar(datetime.timedelta, 1), "'24:00:00'"),
        (liar(list, [1]), "(1)"),
    ]:
        assert connection.literal(value) == written.encode()
    with pytest.raises(forksafe.ProgrammingError, match="no such number"):
        connection.literal(liar(Decimal, "NaN"))


def test_a_datetime_that_is_not_itself_is_no_time(connect: Connect) -> None:
    class NaT(datetime.datetime):
        """As that of pandas, which is the year 1 to whoever looks inside."""

        def __ne__(self, other: object) -> bool:
            return True

    with pytest.raises(forksafe.ProgrammingError, match="pass None for no time"):
        connect().literal(NaT(1, 1, 1))


NUMPY = [
    ("int8(-3)", "-3"),
    ("uint64(18446744073709551615)", "18446744073709551615"),
    ("bool_(True)", "1"),
    ("float16(1.5)", "1.5e0"),
    ("float32(0.1)", "0.10000000149011612e0"),
    ("float64(0.1)", "0.1e0"),
    ("longdouble(0.5)", "0.5e0"),
    ("str_('é')", "'Ã©'"),
    ("bytes_(b'a')", "_binary'a'"),
    ("datetime64('2026-01-02')", "'2026-01-02'"),
    ("datetime64('2026-01-02T03:04:05.5')", "'2026-01-02 03:04:05.500000'"),
    ("datetime64('2026-01-02T03:04:05.000001000')", "'2026-01-02 03:04:05.000001'"),
    ("timedelta64(-90, 'm')", "'-01:30:00'"),
    ("timedelta64(5000, 'ns')", "'00:00:00.000005'"),
]
NOT_SAID = [
    ("float32('nan')", "MySQL has no such number"),
    ("float64('-inf')", "MySQL has no such number"),
    ("complex64(1)", "a complex64 cannot be"),
    ("array([1])", "a ndarray cannot be"),
    ("void(b'ab')", "a void cannot be"),
    ("datetime64('NaT')", "pass None for NaT"),
    ("timedelta64('NaT')", "pass None for NaT"),
    ("datetime64('2026-01-02T03:04:05.000000001')", "whole number of microseconds"),
    ("timedelta64(1, 'Y')", "no time that Python has"),
    ("timedelta64(1)", "no time that Python has"),
    ("datetime64('31690708-07-05T01:46:40')", "no time that Python has"),
]


@pytest.mark.parametrize(("made", "written"), NUMPY)
def test_a_scalar_of_numpy_is_the_number_or_time_that_it_is(
    connect: Connect, made: str, written: str
) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    assert literal(connect(), eval(f"numpy.{made}", {"numpy": numpy})) == written


# numpy 2.5 and newer warn of a time without a unit.
@pytest.mark.filterwarnings("ignore:.*'generic' unit:DeprecationWarning")
@pytest.mark.parametrize(("made", "why"), NOT_SAID)
def test_a_scalar_of_numpy_that_sql_cannot_say_is_refused(
    connect: Connect, made: str, why: str
) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    with pytest.raises(forksafe.ProgrammingError, match=why):
        connect().literal(eval(f"numpy.{made}", {"numpy": numpy}))


def test_numpys_numbers_are_values_of_prepared_statements_too(connect: Connect) -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    cursor = connect().cursor(prepared=True)
    cursor.execute("SELECT %s, %s, %s", (numpy.int32(7), numpy.float32(0.5), numpy.bool_(False)))
    assert cursor.fetchone() == (7, 0.5, 0)


def test_a_list_that_holds_itself_is_refused_and_the_connection_goes_on(connect: Connect) -> None:
    endless: list[Any] = []
    endless.append(endless)
    deep: list[Any] = [1]
    for _ in range(50_000):
        deep = [deep]
    cursor = connect().cursor()
    for value in (endless, deep):
        with pytest.raises(forksafe.ProgrammingError, match="nested more than 32 deep"):
            cursor.execute("SELECT 1 IN %s", (value,))
    cursor.execute("SELECT (1, 2) IN %s", ([(1, 2), (3, 4)],))
    assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "args",
    [{"a": 1, "b": 2}.values(), (number for number in (1, 2)), map(int, "12"), range(1, 3)],
    ids=["the values of a dict", "a generator", "a map", "a range"],
)
def test_parameters_come_from_any_iterable(connect: Connect, args: Any) -> None:
    cursor = connect().cursor()
    cursor.execute("SELECT %s, %s", args)
    assert cursor.fetchone() == (1, 2)


def test_many_sets_of_parameters_may_be_any_iterables_and_none_at_all(connect: Connect) -> None:
    cursor = connect().cursor()
    assert cursor.executemany("DO %s, %s", [{"a": 1, "b": 2}.values()]) == 0
    assert cursor.executemany("DO %s", None) is None


def test_what_says_that_it_is_text_is_written_as_text(connect: Connect) -> None:
    class Proxy:
        @property
        def __class__(self) -> type:  # type: ignore[override]
            return str

        def __str__(self) -> str:
            return "it's"

    assert literal(connect(), Proxy()) == literal(connect(), "it's")


def test_what_a_mapping_raises_comes_through(connect: Connect) -> None:
    class Lookup(dict):  # type: ignore[type-arg]
        def __missing__(self, name: object) -> object:
            raise RuntimeError("no connection to the vault")

    with pytest.raises(RuntimeError, match="vault"):
        connect().cursor().execute("SELECT %(secret)s", Lookup())
    with pytest.raises(forksafe.ProgrammingError, match='no parameter is named "secret"'):
        connect().cursor().execute("SELECT %(secret)s", {})
