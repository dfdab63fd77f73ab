"""Rows that a cursor leaves unread are not read for ever; what is to be carried out, is."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from forksafe.cursors import Cursor, SSCursor
from scripts.mariadb_server import Server
from tests import watched
from tests.proxy import FaultProxy
from tests.signals import cut_off, until, until_running

witness = watched.witness
Connect = Callable[..., forksafe.Connection]

ENDLESS = "SELECT 1, REPEAT('x', 1000) FROM seq_1_to_1000000 a, seq_1_to_1000000 b"


@pytest.fixture
def waiting(witness: watched.Witness) -> Iterator[str]:
    """A statement whose first row comes at once, and whose second one does not."""
    lock = f"unread{os.getpid()}"
    witness.ask(f"SELECT GET_LOCK('{lock}', 0)")
    yield f"SELECT IF(seq = 1, 1, GET_LOCK('{lock}', 600)), REPEAT('x', 100000) FROM seq_1_to_3"
    witness.release_locks()


def streaming(connection: forksafe.Connection, sql: str, **how: Any) -> Any:
    """A cursor that has read one row of `sql`."""
    cursor = SSCursor(connection, **how)
    cursor.execute(sql)
    assert cursor.fetchone()[0] == 1  # type: ignore[index]
    return cursor


def value(connection: forksafe.Connection, sql: str) -> Any:
    """The one value of `sql`."""
    with connection.cursor(Cursor) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()[0][0]


def test_the_rest_of_a_select_is_ended_on_the_server_and_the_transaction_goes_on(
    connect: Connect, transport: str, table: Any
) -> None:
    connection, name = connect(transport), table("id INT")
    session = connection.thread_id()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {name} VALUES (1)")
    with streaming(connection, ENDLESS):
        pass
    assert value(connection, "SELECT CONNECTION_ID()") == session
    connection.commit()
    assert value(connection, f"SELECT COUNT(*) FROM {name}") == 1


@pytest.mark.parametrize("end", ["execute", "gc", "nextset", "prepared"])
def test_however_it_is_left(connect: Connect, end: str) -> None:
    connection = connect()
    session = connection.thread_id()
    cursor = streaming(connection, ENDLESS, prepared=end == "prepared")
    if end == "execute":
        cursor.execute("SELECT 5")
        assert cursor.fetchall() == ((5,),)
    elif end == "gc":
        del cursor
        gc.collect()
    elif end == "nextset":
        assert not cursor.nextset()
    else:
        cursor.close()
    assert value(connection, "SELECT CONNECTION_ID()") == session


def test_a_row_that_does_not_come_is_not_waited_for(
    connect: Connect, transport: str, waiting: str
) -> None:
    connection = connect(transport)
    session = connection.thread_id()
    streaming(connection, waiting).close()
    assert value(connection, "SELECT CONNECTION_ID()") == session


@pytest.mark.usefixtures("mariadb")
def test_a_statement_that_changes_something_is_carried_out(connect: Connect, table: Any) -> None:
    connection, name = connect(autocommit=True), table("id INT")
    value(connection, f"SELECT 1; INSERT INTO {name} SELECT seq FROM seq_1_to_30")
    cursor = connection.cursor(SSCursor)
    cursor.execute(f"DELETE FROM {name} RETURNING id, SLEEP(0.05), REPEAT('x', 100000)")
    cursor.close()
    assert value(connection, f"SELECT COUNT(*) FROM {name}") == 0


def test_statements_that_follow_are_carried_out(connect: Connect, table: Any) -> None:
    connection, name = connect(autocommit=True), table("id INT")
    cursor = connection.cursor(SSCursor)
    cursor.execute(
        "SELECT seq, SLEEP(0.05), REPEAT('x', 100000) FROM seq_1_to_30;"
        f" INSERT INTO {name} VALUES (1)"
    )
    cursor.close()
    assert value(connection, f"SELECT COUNT(*) FROM {name}") == 1


@pytest.mark.parametrize("fault", ["refuse", "turn"])
def test_where_the_server_cannot_be_asked_the_connection_is_finished(
    connect: Connect, proxy: FaultProxy, witness: watched.Witness, fault: str
) -> None:
    connection = connect(host=proxy.host, port=proxy.port)
    session = connection.thread_id()
    cursor = streaming(connection, ENDLESS)
    proxy.refuse() if fault == "refuse" else proxy.turn(1)
    cursor.close()
    with pytest.raises(forksafe.OperationalError, match="rows had been left unread") as caught:
        value(connection, "SELECT 1")
    assert caught.value.args[0] == 2006
    assert not connection.probe()
    until(lambda: session not in witness.sessions())


def test_a_pool_replaces_such_a_connection(
    make_pool: Any, proxy: FaultProxy, server: Server
) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port, max_size=1)
    connection = pool.connect()
    cursor = streaming(connection, ENDLESS)
    proxy.turn(1)
    cursor.close()
    connection.close()
    proxy.turn(server.port)
    with pool.connection() as connection:
        connection.ping()
    assert pool.stats()["discards"]["broken"] == 1


def test_ctrl_c_ends_the_skipping(connect: Connect, witness: watched.Witness) -> None:
    connection = connect()
    session = connection.thread_id()
    # Another statement follows, so the rest of this one is read.
    cursor = streaming(connection, f"{ENDLESS}; SELECT 2")
    cut_off(cursor.close, lambda: time.sleep(0.3))
    until(lambda: session not in witness.sessions())


def test_ctrl_c_ends_a_result_that_comes_without_a_pause(
    connect: Connect, witness: watched.Witness, server: Server
) -> None:
    connection = connect(host=server.host)
    session = connection.thread_id()
    cut_off(
        lambda: connection.cursor().execute(f"{ENDLESS} LIMIT 500000"),
        lambda: (until_running(witness, session), time.sleep(0.2)),
    )
    with pytest.raises(forksafe.OperationalError):
        connection.ping()
    until(lambda: session not in witness.sessions())
