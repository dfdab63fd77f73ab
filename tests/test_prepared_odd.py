"""What a server says of prepared statements when things go wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE, FLAG
from tests.fake_server import (
    COM_STMT_CLOSE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    EOF,
    OK,
    FakeServer,
    column,
    error,
)
from tests.prepared import ask

STALE = error(1615, "HY000", "Prepared statement needs to be re-prepared")
PREPARED = [COM_STMT_PREPARE, COM_STMT_EXECUTE]
AGAIN = [COM_STMT_CLOSE, *PREPARED]


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A server that a test tells what to answer to executions."""
    with FakeServer(cached=True) as fake:
        yield fake


def connect(fake: FakeServer) -> forksafe.Connection:
    return forksafe.connect(host="127.0.0.1", port=fake.port, user="u", password="hush-sha2")


def commands(fake: FakeServer) -> list[int]:
    return [packet[0] for packet in fake.prepared]


def test_a_stale_statement_is_prepared_again_once(fake: FakeServer) -> None:
    with connect(fake) as connection:
        fake.executions += [[OK], [STALE], [OK]]
        for number in (1, 2, 3):
            ask_nothing(connection, "INSERT INTO t VALUES (%s)", number)
        assert commands(fake) == [*PREPARED, COM_STMT_EXECUTE, *AGAIN, COM_STMT_EXECUTE]
        values = [
            struct.unpack("<q", packet[-8:])[0] for packet in fake.prepared if packet[0] == 0x17
        ]
        assert values == [1, 2, 2, 3]
        closed, first = fake.prepared[3], fake.prepared[1]
        assert closed[1:5] == first[1:5]
        assert fake.prepared[5][1:5] != first[1:5]


def test_a_statement_that_stays_stale_is_the_servers_error(fake: FakeServer) -> None:
    with connect(fake) as connection:
        fake.executions += [[STALE], [STALE]]
        with pytest.raises(forksafe.OperationalError, match="re-prepared") as caught:
            ask_nothing(connection, "UPDATE t SET a = %s", 1)
        assert caught.value.args[0] == 1615
        assert commands(fake) == [*PREPARED, *AGAIN]


def test_a_call_is_not_executed_again_for_it_may_have_done_something(fake: FakeServer) -> None:
    with connect(fake) as connection:
        fake.executions += [[STALE]]
        with pytest.raises(forksafe.OperationalError, match="re-prepared"):
            ask_nothing(connection, "CALL p(%s)", 1)
        connection.ping()  # a close has no answer to wait for
        assert commands(fake) == [*PREPARED, COM_STMT_CLOSE]
        ask_nothing(connection, "CALL p(%s)", 1)
        assert commands(fake) == [*PREPARED, *AGAIN]


NUMBER = b"\0\0" + struct.pack("<q", 5)


@pytest.mark.parametrize("row", [NUMBER[:-1], NUMBER + b"\0", b"\1" + NUMBER[1:], b"\0"])
def test_a_row_that_does_not_fit_its_columns_ends_the_session(fake: FakeServer, row: bytes) -> None:
    with connect(fake) as connection:
        fake.executions += [[b"\1", column("a"), EOF, NUMBER, EOF]]
        assert ask(connection, "SELECT a FROM t") == ((5,),)
        fake.executions += [[b"\1", column("a"), EOF, row, EOF]]
        with pytest.raises(forksafe.OperationalError, match="does not fit its columns") as caught:
            ask(connection, "SELECT a FROM t")
        assert caught.value.args[0] == 2013
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT a FROM t")
        assert caught.value.args[0] == 2006


MOMENT = struct.pack("<BHBBBBBI", 11, 2026, 2, 28, 23, 59, 59, 999_999)
SPAN = struct.pack("<BBIBBBI", 12, 1, 34, 22, 59, 59, 999_999)


def changed(value: bytes, place: int, form: str, number: int) -> bytes:
    """`value` with another number in it."""
    new = bytearray(value)
    struct.pack_into(form, new, place, number)
    return bytes(new)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FIELD_TYPE.DATETIME, changed(MOMENT, 1, "<H", 10_000)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 3, "<B", 13)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 4, "<B", 32)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 5, "<B", 24)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 6, "<B", 60)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 7, "<B", 60)),
        (FIELD_TYPE.DATETIME, changed(MOMENT, 8, "<I", 1_000_000)),
        (FIELD_TYPE.TIME, changed(SPAN, 1, "<B", 2)),
        (FIELD_TYPE.TIME, changed(SPAN, 2, "<I", 2**31 - 1)),
        (FIELD_TYPE.TIME, changed(SPAN, 2, "<I", 2**32 - 1)),
        (FIELD_TYPE.TIME, changed(SPAN, 6, "<B", 24)),
        (FIELD_TYPE.TIME, changed(SPAN, 7, "<B", 60)),
        (FIELD_TYPE.TIME, changed(SPAN, 8, "<B", 60)),
        (FIELD_TYPE.TIME, changed(SPAN, 9, "<I", 1_000_000)),
    ],
)
def test_a_time_that_is_none_ends_the_session(fake: FakeServer, kind: int, value: bytes) -> None:
    with connect(fake) as connection:
        head = [b"\1", column("a", kind), EOF]
        right = MOMENT if kind == FIELD_TYPE.DATETIME else SPAN
        fake.executions += [[*head, b"\0\0" + right, EOF], [*head, b"\0\0" + value, EOF]]
        assert ask(connection, "SELECT a FROM t")[0][0] is not None
        with pytest.raises(forksafe.OperationalError, match="does not fit its columns") as caught:
            ask(connection, "SELECT a FROM t")
        assert caught.value.args[0] == 2013


@pytest.mark.parametrize("length", [255, 65_536, 2**32 - 1])
def test_no_number_is_filled_with_more_zeros_than_a_column_has(
    fake: FakeServer, length: int
) -> None:
    options = {"user": "u", "password": "hush-sha2", "conv": {FIELD_TYPE.LONGLONG: str}}
    with forksafe.connect(host="127.0.0.1", port=fake.port, **options) as connection:
        filled = column("a", length=length, flags=FLAG.ZEROFILL)
        fake.executions += [[b"\1", filled, EOF, NUMBER, EOF]]
        assert ask(connection, "SELECT a FROM t") == (("5".zfill(255),),)


def test_a_stale_call_is_told_as_such_though_the_session_dies(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with FakeServer(cached=True, unix_socket=path, executions=[[STALE]]) as fake:
        connection = forksafe.connect(unix_socket=path, user="u", password="hush-sha2")
        fake.deaf = True
        with pytest.raises(forksafe.OperationalError) as caught:
            ask_nothing(connection, "CALL p(%s)", 1)
        assert caught.value.args[0] == 1615  # 2006 would say that nothing has run
        with pytest.raises(forksafe.OperationalError) as caught:
            connection.ping()
        assert caught.value.args[0] == 2006


def ask_nothing(connection: forksafe.Connection, sql: str, value: int) -> None:
    with connection.cursor(prepared=True) as cursor:
        cursor.execute(sql, (value,))
