"""Values as a program may have them, for the property tests.

`pytest --examples 5000` tries far more of them than an ordinary run.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import forksafe
from tests import examples

# A server answers when it answers; and what is kept between runs would be a state of its own.
settings.register_profile(
    "forksafe",
    max_examples=examples.count,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("forksafe")
# For a property that is tried under many settings.
few = settings(max_examples=max(5, examples.count // 5))

# What SQL gives a meaning to, and bytes that begin a character of two in some character set.
SPECIAL = (
    *("'", '"', "`", "\\", "\0", "\n", "\r", "\x1a", "%", "_", ";", "--", "-- ", "#", "/*", "*/"),
    *("/*!", "?", ":", "@", "(", ")", ",", "%s", "%(a)s", "%%", "' OR 1=1 -- ", "''", "\\'", "é"),
    *("\xbf'", "\u2019", "\uff07", "水", "🐬", " ", "x"),
)
WIDE = Context(prec=100)
SPECIAL_BYTES = (*(text.encode() for text in SPECIAL), *(bytes([byte]) for byte in range(256)))


def joined(parts: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Some of these in a row."""
    return st.lists(st.sampled_from(parts), max_size=12).map(type(parts[0])().join)


# Short, and hardly anything else than what ends or escapes.
quotes = st.text("'\"\\`", min_size=1, max_size=5)
texts = quotes | st.text() | joined(SPECIAL)
blobs = quotes.map(str.encode) | st.binary() | joined(SPECIAL_BYTES)
floats = st.floats(allow_nan=False, allow_infinity=False)
longs = st.integers(-(2**63), 2**63 - 1)
unsigned_longs = st.integers(0, 2**64 - 1)
wide_integers = st.integers(-(10**65) + 1, 10**65 - 1)
days = st.dates(datetime.date(1, 1, 1))
# MySQL reads no year below 1000 of a DATETIME as its manual says; all others come back.
moments = st.datetimes(datetime.datetime(1000, 1, 1))
LONGEST = datetime.timedelta(hours=838, minutes=59, seconds=59)
spans = st.timedeltas(-LONGEST, LONGEST)
clocks = st.times()
uuids = st.uuids()


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    """All that fit a DECIMAL(digits, places)."""
    most = 10**digits - 1
    return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-places, WIDE))


def tells_types_late(connection: forksafe.Connection) -> bool:
    """Whether the server knows the values before it says what a prepared statement's columns are.

    MariaDB does. MySQL answers `SELECT ?` with text, whatever the value is.
    """
    return "MariaDB" in connection.get_server_info()
