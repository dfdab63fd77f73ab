"""PEP 249's constructors, and its type objects: `description[i][1] == forksafe.NUMBER`."""

from __future__ import annotations

from .constants import FIELD_TYPE
from .times import (
    Date,
    DateFromTicks,
    Time,
    TimeDelta,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)

__all__ = [
    "BINARY",
    "DATE",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "Binary",
    "Date",
    "DateFromTicks",
    "Time",
    "TimeDelta",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "TypeObject",
]


def Binary(data: bytes | bytearray | memoryview) -> bytes:
    """A parameter that holds bytes, not text."""
    return bytes(memoryview(data))


class TypeObject(frozenset[int]):
    """Some of the type codes in `FIELD_TYPE`; equal to each of them."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other in self if isinstance(other, int) else super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = frozenset.__hash__


STRING = TypeObject(
    {
        FIELD_TYPE.ENUM,
        FIELD_TYPE.JSON,
        FIELD_TYPE.SET,
        FIELD_TYPE.STRING,
        FIELD_TYPE.VARCHAR,
        FIELD_TYPE.VAR_STRING,
    }
)
BINARY = TypeObject(
    {
        FIELD_TYPE.BIT,
        FIELD_TYPE.BLOB,
        FIELD_TYPE.GEOMETRY,
        FIELD_TYPE.LONG_BLOB,
        FIELD_TYPE.MEDIUM_BLOB,
        FIELD_TYPE.TINY_BLOB,
        FIELD_TYPE.VECTOR,
    }
)
NUMBER = TypeObject(
    {
        FIELD_TYPE.DECIMAL,
        FIELD_TYPE.DOUBLE,
        FIELD_TYPE.FLOAT,
        FIELD_TYPE.INT24,
        FIELD_TYPE.LONG,
        FIELD_TYPE.LONGLONG,
        FIELD_TYPE.NEWDECIMAL,
        FIELD_TYPE.SHORT,
        FIELD_TYPE.TINY,
        FIELD_TYPE.YEAR,
    }
)
DATE = TypeObject({FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE})
TIME = TypeObject({FIELD_TYPE.TIME})
TIMESTAMP = TypeObject({FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP})
DATETIME = TIMESTAMP
ROWID = TypeObject()
