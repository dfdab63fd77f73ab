"""Celery closes `fileno()` behind a driver's back: no other file is harmed, no answer is wrong."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import forksafe

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


def session_of(connection: forksafe.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


def take_number(number: int, path: Path) -> None:
    """Close a descriptor behind the driver's back, and give its number to a file."""
    with open(path, "wb") as file:
        os.dup2(file.fileno(), number)


def test_the_next_query_fails_and_writes_into_no_file(
    connect: Connect, transport: str, tmp_path: Path
) -> None:
    connection = connect(transport)
    number = connection.fileno()
    take_number(number, tmp_path / "file")
    with pytest.raises(forksafe.OperationalError) as caught:
        session_of(connection)
    assert caught.value.args[0] in (2006, 2013)
    with pytest.raises(forksafe.InterfaceError):
        connection.fileno()
    assert not connection.probe()
    connection.close()
    os.close(number)
    assert (tmp_path / "file").read_bytes() == b""


def test_the_next_answer_fails_and_takes_nothing_from_another_socket(
    connect: Connect, transport: str
) -> None:
    connection = connect(transport)
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT SLEEP(0.05), REPEAT('x', 100000)")
    number = connection.fileno()
    theirs, peer = socket.socketpair()
    peer.sendall(b"theirs")
    os.dup2(theirs.fileno(), number)
    with pytest.raises(forksafe.OperationalError, match="closed by other code") as caught:
        cursor.nextset()
    assert caught.value.args[0] == 2013
    connection.close()
    theirs.setblocking(False)
    assert theirs.recv(100) == b"theirs"
    os.close(number)
    theirs.close()
    peer.close()


def test_closing_leaves_the_file_open_and_untouched(
    connect: Connect, transport: str, tmp_path: Path
) -> None:
    connection = connect(transport)
    number = connection.fileno()
    take_number(number, tmp_path / "file")
    connection.close()
    os.write(number, b"still open")
    os.close(number)
    assert (tmp_path / "file").read_bytes() == b"still open"


def test_a_pool_replaces_an_idle_connection_whose_descriptor_is_gone(
    make_pool: MakePool, transport: str, tmp_path: Path
) -> None:
    pool = make_pool(transport)
    connection = pool.connect()
    session, number = session_of(connection), connection.fileno()
    connection.close()
    take_number(number, tmp_path / "file")
    with pool.connection() as connection:
        assert session_of(connection) != session
    stats = pool.stats()
    assert (stats["probe_failures"], stats["discards"]["broken"]) == (1, 1)
    os.close(number)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_pool_replaces_an_idle_connection_whose_descriptor_was_closed(
    make_pool: MakePool, transport: str
) -> None:
    pool = make_pool(transport)
    connection = pool.connect()
    number = connection.fileno()
    connection.close()
    os.close(number)
    with pool.connection() as connection:
        assert session_of(connection) > 0
    assert pool.stats()["discards"]["broken"] == 1


@pytest.mark.parametrize("rest", [0, 0.15])
def test_a_query_never_goes_to_another_socket_that_got_the_number(
    connect: Connect, transport: str, rest: float
) -> None:
    connection, other = connect(transport), connect(transport)
    session, number = session_of(other), connection.fileno()
    session_of(connection)
    os.dup2(other.fileno(), number)
    time.sleep(rest)
    with pytest.raises(forksafe.OperationalError) as caught:
        session_of(connection)
    assert caught.value.args[0] == 2006
    connection.close()
    os.close(number)
    assert session_of(other) == session
