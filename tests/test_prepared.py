"""A prepared cursor has the server prepare each statement once a session, and execute it often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.prepared import ask, counted

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


def test_a_statement_is_prepared_once_for_all_its_executions(
    connect: Connect, transport: str
) -> None:
    connection = connect(transport)
    for number in range(20):
        # A cursor more or less: what is prepared belongs to the session.
        assert ask(connection, "SELECT %s + 1, %s", (number, "é")) == ((number + 1, "é"),)
    assert counted(connection, "prepare") == 1
    assert counted(connection, "execute") == 20
    assert counted(connection, "close") == 0


def test_a_plain_cursor_prepares_nothing(connect: Connect) -> None:
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", (1,))
    assert counted(connection, "prepare") == 0


def test_the_statement_used_longest_ago_is_closed_to_make_room(connect: Connect) -> None:
    connection = connect(prepared_cache_size=2)
    for sql in ("SELECT 'a'", "SELECT 'b'", "SELECT 'a'", "SELECT 'c'"):
        ask(connection, sql)
    assert (counted(connection, "prepare"), counted(connection, "close")) == (3, 1)
    ask(connection, "SELECT 'a'")
    assert (counted(connection, "prepare"), counted(connection, "close")) == (3, 1)
    assert ask(connection, "SELECT 'b'") == (("b",),)
    assert (counted(connection, "prepare"), counted(connection, "close")) == (4, 2)


def test_a_session_keeps_no_more_than_32_by_default(connect: Connect, server: Server) -> None:
    connection = connect()
    for number in range(40):
        assert ask(connection, f"SELECT {number}, %s", (number,)) == ((number, number),)
    assert counted(connection, "prepare") - counted(connection, "close") == 32


def test_a_long_statement_is_not_kept(connect: Connect) -> None:
    connection = connect()
    for sql, closed in ((f"SELECT '{'x' * 65_000}', %s", 0), (f"SELECT '{'y' * 65_536}', %s", 2)):
        for number in (1, 2):
            assert ask(connection, sql, (number,))[0][1] == number
        assert counted(connection, "close") == closed
    assert counted(connection, "prepare") == 3


def test_a_long_statement_may_stream(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor(forksafe.cursors.SSCursor, prepared=True)
    sql = f"SELECT seq, '{'y' * 65_536}' FROM seq_1_to_100 WHERE seq > %s"
    for _ in range(2):
        cursor.execute(sql, (0,))
        assert cursor.fetchone()[0] == 1
        assert len(cursor.fetchall()) == 99
    assert ask(connection, "SELECT 1") == ((1,),)
    assert (counted(connection, "prepare"), counted(connection, "close")) == (3, 2)


def test_where_the_server_has_no_room_the_oldest_of_ours_gives_way(
    connect: Connect, server: Server
) -> None:
    connection, without = connect(), connect()
    for number in (1, 2):
        ask(connection, f"SELECT {number}, %s", (number,))
    with server.variables(max_prepared_stmt_count=server.status("Prepared_stmt_count")):
        assert ask(connection, "SELECT %s", (3,)) == ((3,),)
        assert counted(connection, "close") == 1
        assert ask(connection, "SELECT 2, %s", (4,)) == ((2, 4),)
        assert counted(connection, "execute") == 4
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(without, "SELECT %s", (5,))
        assert caught.value.args[0] == 1461
        assert without.ping() is None
    assert ask(without, "SELECT %s", (5,)) == ((5,),)


@pytest.mark.parametrize("size", [0, -1, "many", 1.5])
def test_a_cache_without_room_is_refused(connect: Connect, size: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="prepared_cache_size must be a whole"):
        connect(prepared_cache_size=size)


def test_a_reset_session_has_nothing_prepared(make_pool: MakePool) -> None:
    pool = make_pool(max_size=1, reset="session")
    sessions = set()
    for number in range(3):
        with pool.connection() as connection:
            sessions.add(connection.thread_id())
            before = counted(connection, "prepare")
            assert ask(connection, "SELECT %s", (number,)) == ((number,),)
            assert ask(connection, "SELECT %s", (number,)) == ((number,),)
            assert counted(connection, "prepare") == before + 1
            ask(connection, "SELECT @x := 1")
    assert len(sessions) == 1


@pytest.mark.parametrize("reset", ["rollback", "session"])
def test_a_pooled_session_that_nothing_changed_stays_prepared(
    make_pool: MakePool, reset: str
) -> None:
    pool = make_pool(max_size=1, reset=reset)
    for number in range(3):
        with pool.connection() as connection:
            assert ask(connection, "SELECT %s", (number,)) == ((number,),)
            assert counted(connection, "prepare") == 1
