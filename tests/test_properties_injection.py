"""No parameter can change the statement, whatever the settings of the session."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import forksafe
from scripts.mariadb_server import Server
from tests import properties as some
from tests.test_charsets import CHARSETS, DOUBLE_BYTE, SINGLE_BYTE

MODES = ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES")

# A value in several places of SQL; the last column tells that all was read.
STATEMENTS = (
    "SELECT 'before', {}, 'after', 7",
    'SELECT "before", {}, "after", 7',
    "SELECT 'before', d.v, 'after', 7 FROM (SELECT {} AS v) AS d WHERE ({} IS NOT NULL)",
    "SELECT 'before' -- it's\n, COALESCE(NULL, {}) /* \" */, 'after', 7 LIMIT 1",
)

Open = Callable[[str, str], forksafe.Connection]


@pytest.fixture(scope="module")
def opened(server: Server) -> Iterator[Open]:
    """One connection for each character set and mode."""
    kept: dict[tuple[str, str], forksafe.Connection] = {}

    def of(charset: str, mode: str) -> forksafe.Connection:
        if (charset, mode) not in kept:
            options = {"charset": charset, "sql_mode": mode}
            kept[charset, mode] = forksafe.connect(**server.connect_kwargs(**options))
        return kept[charset, mode]

    yield of
    for connection in kept.values():
        connection.close()


def texts_of(charset: str) -> st.SearchStrategy[str]:
    """What can be said in a character set."""
    if charset.startswith("utf8mb4"):
        return some.texts
    codec = {"utf8mb3": "utf-8", "latin1": "cp1252", "euckr": "cp949"}.get(charset, "ascii")
    letters = st.characters(codec=codec, max_codepoint=0xFFFF)
    special = [part for part in some.SPECIAL if part.isascii()]
    return st.lists(letters | st.sampled_from(special), max_size=12).map("".join)


def assert_unchanged(connection: forksafe.Connection, sql: str, value: Any, prepared: bool) -> None:
    """The statement answers one row of four columns, the value among them, and nothing more."""
    cursor = connection.cursor(prepared=prepared)
    place, back = "%s", value
    if prepared and not some.tells_types_late(connection):
        place = "HEX(CONVERT(%s USING utf8mb4))" if isinstance(value, str) else "HEX(%s)"
        back = (value.encode() if isinstance(value, str) else value).hex().upper()
    cursor.execute(sql.replace("{}", place), [value] * sql.count("{}"))
    assert cursor.fetchall() == (("before", back, "after", 7),)
    assert cursor.nextset() is None
    cursor.close()


def statements(mode: str) -> st.SearchStrategy[str]:
    """Those that mean the same in a mode."""
    return st.sampled_from([sql for sql in STATEMENTS if "ANSI" not in mode or '"b' not in sql])


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("mode", MODES)
@given(st.data())
def test_no_text_and_no_bytes_end_their_quotes(
    opened: Open, mode: str, prepared: bool, data: st.DataObject
) -> None:
    value = data.draw(some.texts | some.blobs)
    sql = data.draw(statements(mode))
    assert_unchanged(opened("utf8mb4", mode), sql, value, prepared)


@pytest.mark.parametrize("charset", CHARSETS)
@some.few
@given(st.data())
def test_nor_do_they_in_any_character_set(opened: Open, charset: str, data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(MODES))
    value = data.draw(texts_of(charset) | some.blobs)
    sql = data.draw(statements(mode))
    assert_unchanged(opened(charset, mode), sql, value, data.draw(st.booleans()))


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES"])
@pytest.mark.parametrize("charset", CHARSETS)
def test_no_byte_swallows_the_one_that_ends_the_quotes(
    opened: Open, charset: str, mode: str
) -> None:
    # In gbk, b"\xbf" and the backslash before a quote would be one character.
    connection = opened(charset, mode)
    values = [bytes([byte]) + end for byte in range(256) for end in (b"", b"'", b"\\", b"\\'")]
    for start in range(0, len(values), 256):
        part = values[start : start + 256]
        cursor = connection.cursor()
        cursor.execute("SELECT " + ", ".join(["%s"] * len(part)) + ", 7", part)
        assert cursor.fetchall() == ((*part, 7),)


@pytest.mark.parametrize("charset", [*SINGLE_BYTE, *DOUBLE_BYTE])
@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES"])
def test_nor_does_a_character(opened: Open, charset: str, mode: str) -> None:
    connection = opened(charset, mode)
    letters = []
    for number in itertools.chain(range(0x20, 0x600), range(0xAC00, 0xAD00), range(0x4E00, 0x4F00)):
        try:
            connection.literal(chr(number))
        except UnicodeEncodeError:
            continue
        letters.append(chr(number))
    assert len(letters) > 100
    values = [letter + end for letter in letters for end in ("", "'", "\\", "\\'")]
    cursor = connection.cursor()
    cursor.execute("SELECT " + ", ".join(["%s"] * len(values)) + ", 7", values)
    assert cursor.fetchall() == ((*values, 7),)


@some.few
@given(st.lists(st.sampled_from(MODES) | some.texts, min_size=2, max_size=6))
def test_nor_when_the_mode_changes_in_between(server: Server, steps: list[str]) -> None:
    with forksafe.connect(**server.connect_kwargs()) as connection:
        cursor = connection.cursor()
        for step in steps:
            if step in MODES:
                cursor.execute("SET sql_mode = %s", (step,))
            assert_unchanged(connection, STATEMENTS[0], step, False)


@given(some.texts, some.texts)
def test_nor_as_a_name_in_a_mapping(opened: Open, name: str, value: str) -> None:
    if ")" in name or "%" in name:
        return
    cursor = opened("utf8mb4", "").cursor()
    cursor.execute(f"SELECT 'before', %({name})s, 7", {name: value, "other": "x"})
    assert cursor.fetchall() == (("before", value, 7),)


@pytest.mark.parametrize("mode", MODES)
@some.few
@given(value=some.texts | some.blobs)
def test_nor_in_many_rows_in_a_group_or_in_a_call(opened: Open, mode: str, value: Any) -> None:
    connection = opened("utf8mb4", mode)
    cursor = connection.cursor()
    cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS t (v LONGBLOB, n INT)")
    cursor.execute("DELETE FROM t")
    assert cursor.executemany("INSERT INTO t VALUES (%s, %s)", [(value, 1), (value, 2)]) == 2
    raw = value.encode() if isinstance(value, str) else value
    cursor.execute("SELECT v, n FROM t WHERE v IN %s ORDER BY n", ([raw, b"other"],))
    assert cursor.fetchall() == ((raw, 1), (raw, 2))
    cursor.execute("SET @v = %s, @n = 7", (value,))
    cursor.execute("SELECT @v, @n")
    assert cursor.fetchall() == ((value, 7),)
    # A literal put together by hand, for those who do so.
    quoted = connection.escape_string(raw)
    cursor.execute(b"SELECT _binary'" + quoted + b"', 7")
    assert cursor.fetchall() == ((raw, 7),)


@given(st.sampled_from(MODES), st.lists(some.texts, max_size=4).map(frozenset))
def test_nor_as_a_member_of_a_set(opened: Open, mode: str, value: frozenset[str]) -> None:
    connection = opened("utf8mb4", mode)
    members = frozenset(member.replace(",", "") for member in value)
    cursor = connection.cursor()
    cursor.execute("SELECT %s, 7", (members,))
    assert cursor.fetchall() == ((",".join(sorted(members)), 7),)
