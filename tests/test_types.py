"""PEP 249's constructors, type objects and module attributes."""

from __future__ import annotations

import datetime
import importlib.metadata
import time
from collections.abc import Iterator

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE
from forksafe.types import TypeObject

TYPE_OBJECTS = (
    forksafe.STRING,
    forksafe.BINARY,
    forksafe.NUMBER,
    forksafe.DATE,
    forksafe.TIME,
    forksafe.TIMESTAMP,
    forksafe.ROWID,
)
TICKS = 1_700_000_000  # 22:13:20 on 14 November 2023, UTC


@pytest.fixture
def eastern(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time two hours ahead of UTC: the next day at TICKS."""
    monkeypatch.setenv("TZ", "EET-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (FIELD_TYPE.VAR_STRING, forksafe.STRING),
        (FIELD_TYPE.JSON, forksafe.STRING),
        (FIELD_TYPE.BLOB, forksafe.BINARY),
        (FIELD_TYPE.SHORT, forksafe.NUMBER),
        (FIELD_TYPE.NEWDECIMAL, forksafe.NUMBER),
        (FIELD_TYPE.DATE, forksafe.DATE),
        (FIELD_TYPE.TIME, forksafe.TIME),
        (FIELD_TYPE.DATETIME, forksafe.DATETIME),
        (FIELD_TYPE.TIMESTAMP, forksafe.DATETIME),
    ],
)
def test_a_type_code_equals_its_type_object_and_no_other(code: int, kind: TypeObject) -> None:
    assert code == kind
    assert kind == code
    assert [other for other in TYPE_OBJECTS if code == other] == [kind]


def test_every_column_type_has_one_type_object() -> None:
    codes = {value for name, value in vars(FIELD_TYPE).items() if name.isupper()}
    counts = {code: sum(code == kind for kind in TYPE_OBJECTS) for code in codes}
    assert {code for code, count in counts.items() if count != 1} == {FIELD_TYPE.NULL}


def test_a_type_object_is_a_set() -> None:
    assert set(forksafe.DATE) == {FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE}
    assert FIELD_TYPE.DATE in forksafe.DATE
    assert forksafe.DATETIME is forksafe.TIMESTAMP
    assert forksafe.NUMBER != forksafe.STRING
    assert len(set(TYPE_OBJECTS)) == len(TYPE_OBJECTS)


def test_ticks_are_local_time(eastern: None) -> None:
    assert forksafe.DateFromTicks(TICKS) == datetime.date(2023, 11, 15)
    assert forksafe.TimeFromTicks(TICKS) == datetime.time(0, 13, 20)
    assert forksafe.TimestampFromTicks(TICKS) == datetime.datetime(2023, 11, 15, 0, 13, 20)


def test_constructors_make_values_of_the_standard_library() -> None:
    assert forksafe.Date(2026, 1, 2) == datetime.date(2026, 1, 2)
    assert forksafe.Time(3, 4, 5) == datetime.time(3, 4, 5)
    assert forksafe.Timestamp(2026, 1, 2, 3) == datetime.datetime(2026, 1, 2, 3)


@pytest.mark.parametrize("data", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")])
def test_binary_takes_bytes(data: bytes) -> None:
    assert forksafe.Binary(data) == b"\x00\xff"


@pytest.mark.parametrize("data", ["text", 5, None])
def test_binary_takes_nothing_else(data: object) -> None:
    with pytest.raises(TypeError):
        forksafe.Binary(data)  # type: ignore[arg-type]


def test_the_module_says_what_pep_249_wants() -> None:
    assert (forksafe.apilevel, forksafe.paramstyle, forksafe.threadsafety) == ("2.0", "format", 1)


def test_the_version_is_the_one_installed() -> None:
    assert forksafe.__version__ == importlib.metadata.version("forksafe")
    assert ".".join(map(str, forksafe.version_info[:3])) == forksafe.__version__
