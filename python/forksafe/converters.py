"""Functions between columns and objects, and between objects and literals, as MySQLdb has them.

`conversions` is the default of the option `conv`. Copy it, change the copy, pass that:
`connect(conv={**conversions, FIELD_TYPE.NEWDECIMAL: float, Point: point_literal})`.

A key that is a number of `constants.FIELD_TYPE` says what becomes of a column's value:

* a callable. It gets text from DECIMAL, DATE, TIME, DATETIME and TIMESTAMP columns, and bytes from
  all others, as with mysqlclient. `str` means the text itself, `bytes` the bytes;
* None: bytes;
* a list of pairs (mask of `constants.FLAG` or None, callable): the first pair counts whose mask is
  None or shares a bit with the column's flags. `FLAG.BINARY` stands for a column of bytes.

A number that is missing means bytes too. Columns of text and BLOBs are `str` or `bytes` by what
they hold, unless a callable of one's own says otherwise, or the option `use_unicode` is False: then
they are all bytes.

A key that is a class says how its instances are written as parameters, subclasses not among them:
`encoder(value, conv)` answers a literal of SQL, text or bytes, quotes and all. What has no
encoder is written as ever; an instance of a subclass that could not be, by its base's encoder.

What is as in `conversions` costs no call: the driver knows these functions, and does the same.
"""

from __future__ import annotations

import array
from decimal import Decimal
from typing import Any

from .constants import FIELD_TYPE, FLAG
from .exceptions import ProgrammingError
from .times import (
    Date,
    Date_or_None,
    DateTime2literal,
    DateTime_or_None,
    DateTimeDelta2literal,
    DateTimeDeltaType,
    DateTimeType,
    TimeDelta_or_None,
)

NoneType = type(None)
ArrayType = array.array

_bytes_or_str: tuple[tuple[int | None, type], ...] = ((FLAG.BINARY, bytes), (None, str))


def Bool2Str(value: object, _conv: Any = None) -> bytes:
    """1 or 0."""
    return b"1" if value else b"0"


def None2NULL(_value: None, _conv: Any = None) -> bytes:
    """NULL."""
    return b"NULL"


def Thing2Str(value: object, _conv: Any = None) -> str:
    """`str(value)`, without quotes: for numbers."""
    return str(value)


def Float2Str(value: float, _conv: Any = None) -> str:
    """A DOUBLE: with an exponent, for without one the server would read a DECIMAL.

    Raises ProgrammingError for NaN and infinity, which MySQL has not.
    """
    text = repr(float(value))
    if text in ("nan", "inf", "-inf"):
        raise ProgrammingError(f"{text} cannot be a parameter: MySQL has no such number")
    return text if "e" in text else text + "e0"


def Decimal2Literal(value: Decimal, _conv: Any = None) -> str:
    """A DECIMAL, in digits.

    Raises ProgrammingError for NaN and infinity, which MySQL has not.
    """
    if not value.is_finite():
        raise ProgrammingError(f"{value} cannot be a parameter: MySQL has no such number")
    return format(value, "f")


def Thing2Literal(value: object, _conv: Any = None) -> bytes:
    """`str(value)`, or bytes, in quotes.

    It is not told of a connection, so it writes what means the same on each: whether or not a
    backslash escapes there, and whatever its character set.
    """
    if isinstance(value, (bytes, bytearray)):
        introducer, data = b"_binary", bytes(value)
    else:
        text = str(value)
        introducer, data = (b"" if text.isascii() else b"_utf8mb4"), text.encode()
    if b"\\" in data:
        return (introducer or b"_utf8mb4") + b" X'" + data.hex().encode() + b"'"
    return introducer + b"'" + data.replace(b"'", b"''") + b"'"


def array2Str(value: array.array[Any], conv: Any = None) -> bytes:
    """The bytes of an array."""
    return Thing2Literal(value.tobytes(), conv)


conversions: dict[Any, Any] = {
    # Parameters.
    NoneType: None2NULL,
    bool: Bool2Str,
    int: Thing2Str,
    float: Float2Str,
    Decimal: Decimal2Literal,
    Date: Thing2Literal,
    DateTimeType: DateTime2literal,
    DateTimeDeltaType: DateTimeDelta2literal,
    ArrayType: array2Str,
    # Columns.
    FIELD_TYPE.TINY: int,
    FIELD_TYPE.SHORT: int,
    FIELD_TYPE.INT24: int,
    FIELD_TYPE.LONG: int,
    FIELD_TYPE.LONGLONG: int,
    FIELD_TYPE.YEAR: int,
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.DECIMAL: Decimal,
    FIELD_TYPE.NEWDECIMAL: Decimal,
    FIELD_TYPE.DATE: Date_or_None,
    FIELD_TYPE.TIME: TimeDelta_or_None,
    FIELD_TYPE.DATETIME: DateTime_or_None,
    FIELD_TYPE.TIMESTAMP: DateTime_or_None,
    # By what they hold, as `use_unicode` says.
    FIELD_TYPE.STRING: bytes,
    FIELD_TYPE.VAR_STRING: bytes,
    FIELD_TYPE.VARCHAR: bytes,
    FIELD_TYPE.TINY_BLOB: bytes,
    FIELD_TYPE.BLOB: bytes,
    FIELD_TYPE.MEDIUM_BLOB: bytes,
    FIELD_TYPE.LONG_BLOB: bytes,
    FIELD_TYPE.JSON: bytes,
}
