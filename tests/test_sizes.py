"""Statements, parameters and rows of any size, above all around the 16 MB of one packet."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]
MB = 1 << 20
FRAME = 0xFF_FFFF  # a packet of this size, or of twice as much, is followed by an empty one
AROUND = [FRAME - 1, FRAME, FRAME + 1, 2 * FRAME]


@pytest.fixture(scope="module")
def roomy(server: Server) -> Iterator[None]:
    """Sessions opened meanwhile may send and receive large packets."""
    with server.variables(max_allowed_packet=128 * MB):
        yield


CLEAR_AND_NOT = pytest.mark.parametrize("transport", ["tcp", "tls"])
pytestmark = pytest.mark.usefixtures("roomy")


def ask(connection: forksafe.Connection, sql: str | bytes, *args: Any, **how: Any) -> Any:
    """The one row of a statement."""
    with connection.cursor(**how) as cursor:
        cursor.execute(sql, args or None)
        ((row),) = cursor.fetchall()
    return row


@CLEAR_AND_NOT
@pytest.mark.parametrize("size", AROUND)
def test_a_statement_of_that_size_arrives_whole(
    connect: Connect, transport: str, size: int
) -> None:
    connection = connect(transport)
    # The command's byte is in the packet too.
    text = b"x" * (size - 1 - len(b"SELECT LENGTH('')"))
    assert ask(connection, b"SELECT LENGTH('%s')" % text) == (len(text),)
    assert ask(connection, "SELECT 7") == (7,)


@CLEAR_AND_NOT
@pytest.mark.parametrize("size", AROUND)
def test_a_row_of_that_size_arrives_whole(connect: Connect, transport: str, size: int) -> None:
    connection = connect(transport)
    # The length comes first, in four bytes or, from 16 MB on, in nine.
    length = size - (4 if size <= FRAME + 4 else 9)
    (text,) = ask(connection, f"SELECT REPEAT('x', {length})")
    assert len(text) == length
    assert ask(connection, "SELECT 7") == (7,)


@pytest.mark.parametrize("size", AROUND)
def test_an_execution_of_that_size_arrives_whole(connect: Connect, size: int) -> None:
    # Before the value: command, statement, flags, count, NULLs, type, and the value's length.
    value = b"x" * (size - (22 if size > FRAME + 4 else 18) - 1)
    for more in range(3):
        sent = value + b"y" * more
        assert ask(connect(), "SELECT LENGTH(%s)", sent, prepared=True) == (len(sent),)


@CLEAR_AND_NOT
@pytest.mark.parametrize("prepared", [False, True], ids=["text", "prepared"])
def test_a_value_of_many_packets_comes_back_as_it_is(
    connect: Connect, transport: str, prepared: bool
) -> None:
    connection, value = connect(transport), os.urandom(17 * MB)
    wanted = (value, hashlib.md5(value).hexdigest())
    assert ask(connection, "SELECT %s, MD5(%s)", value, value, prepared=prepared) == wanted
    assert ask(connection, "SELECT 7") == (7,)


def test_many_rows_of_many_packets_come_in_order(connect: Connect) -> None:
    cursor = connect().cursor()
    cursor.execute("SELECT seq, REPEAT('x', seq * 6000000) FROM seq_1_to_6")
    rows = [(number, len(text)) for number, text in cursor.fetchall()]
    assert rows == [(number, number * 6_000_000) for number in range(1, 7)]


@pytest.mark.parametrize("prepared", [False, True], ids=["text", "prepared"])
def test_what_the_server_does_not_take_is_refused_before_it_is_sent(
    connect: Connect, server: Server, prepared: bool
) -> None:
    with server.variables(max_allowed_packet=MB):
        connection = connect()
    with pytest.raises(forksafe.OperationalError, match="max_allowed_packet") as caught:
        ask(connection, "SELECT LENGTH(%s)", "x" * MB, prepared=prepared)
    assert caught.value.args[0] == 2020
    assert "send less at once or raise max_allowed_packet on the server" in caught.value.args[1]
    assert ask(connection, "SELECT 7") == (7,)


def test_a_result_larger_than_the_server_makes_is_a_warning(
    connect: Connect, server: Server
) -> None:
    with server.variables(max_allowed_packet=MB):
        connection = connect()
    cursor = connection.cursor()
    cursor.execute(f"SELECT REPEAT('x', {2 * MB})")
    assert cursor.fetchall() == ((None,),)
    ((_, number, text),) = connection.show_warnings()
    assert number == 1301
    assert "max_allowed_packet" in text
