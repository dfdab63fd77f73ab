"""What the driver believes of a session is never older than what the server could have told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

import forksafe
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]
Table = Callable[..., str]


def rows(connection: forksafe.Connection, query: str) -> tuple[tuple[object, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def change_without_waiting(connection: forksafe.Connection, table: str) -> None:
    """Change row 1, or fail after a second with 1205 when another session has it locked."""
    with connection.cursor() as cursor:
        cursor.execute("SET innodb_lock_wait_timeout = 1")
        cursor.execute(f"UPDATE {table} SET a = a + 1 WHERE id = 1")
    connection.commit()


@pytest.mark.parametrize("ended_by", ["rollback", "commit", "check-in"])
def test_a_refused_first_statement_leaves_no_lock_behind(
    connect: Connect, make_pool: MakePool, table: Table, ended_by: str
) -> None:
    name = table("id INT PRIMARY KEY, a INT")
    other = connect(autocommit=True)
    other.cursor().execute(f"INSERT INTO {name} VALUES (1, 1)")
    connection = make_pool().connect()
    with pytest.raises(forksafe.IntegrityError):
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1, 2)")
    {"rollback": connection.rollback, "commit": connection.commit, "check-in": connection.close}[
        ended_by
    ]()
    change_without_waiting(other, name)
    assert rows(other, f"SELECT a FROM {name}") == ((2,),)


def test_what_a_refused_call_had_done_is_rolled_back_before_the_next_borrower(
    make_pool: MakePool, server: Server, table: Table
) -> None:
    name = table("id INT PRIMARY KEY, a INT")
    pool = make_pool(max_size=1)
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {name} VALUES (1, 1)")
        cursor.execute(
            f"CREATE PROCEDURE {name}_fill() BEGIN"
            f" INSERT INTO {name} VALUES (99, 99); INSERT INTO {name} VALUES (1, 2); END"
        )
    try:
        connection = pool.connect()
        with pytest.raises(forksafe.IntegrityError):
            connection.cursor().execute(f"CALL {name}_fill()")
        connection.rollback()
        connection.close()
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"UPDATE {name} SET a = 5 WHERE id = 1")
        with pool.connection() as connection:
            assert rows(connection, f"SELECT id, a FROM {name}") == ((1, 5),)
    finally:
        server.execute_as_root(f"DROP PROCEDURE {server.database}.{name}_fill")


def test_parameters_follow_a_mode_that_an_unread_answer_tells(connect: Connect) -> None:
    cursor = connect().cursor()
    text = "' , 'injected' -- "
    cursor.execute("SELECT 1; SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
    cursor.execute("SELECT %s", (text,))
    assert cursor.fetchall() == ((text,),)


def test_a_close_ends_the_session_though_a_child_has_a_copy_of_its_socket(
    connect: Connect, server: Server
) -> None:
    connection = connect(read_timeout=0.2)
    session = connection.thread_id()
    child = os.fork()
    if child == 0:  # uses nothing of ours
        signal.alarm(20)
        time.sleep(20)
        os._exit(0)
    try:
        with pytest.raises(forksafe.OperationalError):
            connection.cursor().execute("SELECT SLEEP(1)")
        connection.close()
        deadline = time.monotonic() + 5
        while session in server.session_ids() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert session not in server.session_ids()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
