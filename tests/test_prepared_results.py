"""What a prepared cursor answers: rows of any size and class, counts, several results, streams."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.prepared import ask, counted

Connect = Callable[..., forksafe.Connection]
Table = Callable[..., str]

MB = 1024 * 1024


def test_rows_fit_the_table_as_it_is_now(connect: Connect, table: Table, server: Server) -> None:
    connection = connect(autocommit=True)
    name = table("id INT PRIMARY KEY, a INT")
    ask(connection, f"INSERT INTO {name} VALUES (1, 2)")
    select = f"SELECT * FROM {name} WHERE id = %s"
    assert ask(connection, select, (1,)) == ((1, 2),)
    for change, row in [
        ("ADD b VARCHAR(9) DEFAULT 'new'", (1, 2, "new")),
        ("MODIFY a DATETIME(3) DEFAULT NULL", (1, datetime.datetime(2000, 1, 2), "new")),
        ("DROP a", (1, "new")),
    ]:
        if "MODIFY" in change:
            server.execute_as_root(f"UPDATE {server.database}.{name} SET a = 20000102")
        server.execute_as_root(f"ALTER TABLE {server.database}.{name} {change}")
        with connection.cursor(prepared=True) as cursor:
            cursor.execute(select, (1,))
            assert cursor.fetchall() == (row,)
            assert cursor.description is not None
            assert len(cursor.description) == len(row)
    server.execute_as_root(f"DROP TABLE {server.database}.{name}")
    with pytest.raises(forksafe.ProgrammingError) as caught:
        ask(connection, select, (1,))
    assert caught.value.args[0] == 1146
    server.execute_as_root(
        f"CREATE TABLE {server.database}.{name} (id VARCHAR(3)) AS SELECT '1' AS id"
    )
    assert ask(connection, select, (1,)) == (("1",),)


def test_executemany_executes_one_statement_for_each_set(connect: Connect, table: Table) -> None:
    connection = connect()
    name = table("id INT PRIMARY KEY, a VARCHAR(9)")
    cursor = connection.cursor(prepared=True)
    rows = [(number, f"n{number}") for number in range(50)]
    assert cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", rows) == 50
    assert cursor.rowcount == 50
    assert (counted(connection, "prepare"), counted(connection, "execute")) == (1, 50)
    assert ask(connection, f"SELECT * FROM {name} ORDER BY id") == tuple(rows)
    assert cursor.executemany("SELECT %s", []) is None


def test_what_a_statement_tells_is_what_it_tells_a_plain_cursor(
    connect: Connect, table: Table
) -> None:
    connection = connect()
    name = table("id INT PRIMARY KEY AUTO_INCREMENT, a INT")
    told = []
    for prepared in (False, True):
        cursor = connection.cursor(prepared=prepared)
        seen: list[Any] = [cursor.rowcount, cursor.description, cursor._executed]
        for sql, args in [
            (f"INSERT INTO {name} (a) VALUES (%s), (%s)", (1, 1)),
            (f"UPDATE {name} SET a = a + 1", None),
            (f"SELECT id, a AS b FROM {name} LIMIT 1", None),
            ("SELECT 1/0", None),
            (f"DELETE FROM {name}", ()),
        ]:
            count = cursor.execute(sql, args)
            seen += [count, cursor.rowcount, cursor.description, cursor.warning_count]
            seen += [connection.affected_rows(), connection.warning_count()]
        told.append(seen)
        assert cursor.lastrowid == 0
    assert told[0] == told[1]
    cursor.execute(f"INSERT INTO {name} (a) VALUES (%s)", (9,))
    assert cursor.lastrowid == connection.insert_id() == 5
    assert cursor._executed == f"INSERT INTO {name} (a) VALUES (?)".encode()
    connection.rollback()


def test_a_procedure_answers_each_of_its_results(connect: Connect, server: Server) -> None:
    connection, name = connect(), f"prepared{os.getpid()}"
    connection.cursor().execute(
        f"CREATE PROCEDURE {name} (IN a INT, OUT b DATE) BEGIN"
        " SELECT a, '2026-01-02' AS text; SET b = '2026-01-02'; SELECT SEC_TO_TIME(a); END"
    )
    try:
        cursor = connection.cursor(prepared=True)
        for number in (1, 2):
            cursor.execute(f"CALL {name}(%s, %s)", (number, None))
            assert cursor.fetchall() == ((number, "2026-01-02"),)
            with pytest.raises(forksafe.ProgrammingError):  # unread answers of another cursor
                ask(connection, "SELECT 1")
            assert cursor.nextset()
            assert cursor.fetchall() == ((datetime.timedelta(seconds=number),),)
            assert cursor.nextset()  # what the OUT parameter was set to
            assert cursor.fetchall() == ((datetime.date(2026, 1, 2),),)
            assert cursor.nextset()  # the CALL itself
            assert not cursor.nextset()
        # It may have changed what statements are prepared under, so none is kept.
        assert (counted(connection, "prepare"), counted(connection, "close")) == (2, 2)
        assert cursor.callproc(name, (3, None)) == (3, None)
        assert cursor.fetchall() == ((3, "2026-01-02"),)
        cursor.close()
        assert ask(connection, "SELECT 4") == ((4,),)
    finally:
        server.execute_as_root(f"DROP PROCEDURE {server.database}.{name}")


def test_a_row_and_a_parameter_of_more_than_16_mb_arrive_whole(
    connect: Connect, server: Server
) -> None:
    with server.variables(max_allowed_packet=64 * MB):
        connection = connect()
        ((text, number),) = ask(connection, "SELECT REPEAT(%s, %s), 7", ("ab", 12 * MB))
        assert (len(text), text[:4], text[-2:], number) == (24 * MB, "abab", "ab", 7)
        data = os.urandom(MB) * 17
        # Bytes for MySQL too, whose prepared statements say of what type a parameter is.
        sent = ask(connection, "SELECT CAST(%s AS BINARY), LENGTH(%s)", (data, data))
        assert sent == ((data, len(data)),)


def test_what_is_too_large_for_the_server_is_not_sent(connect: Connect, server: Server) -> None:
    with server.variables(max_allowed_packet=MB):
        connection = connect()
        ask(connection, "SELECT LENGTH(%s)", ("",))
        with pytest.raises(forksafe.OperationalError, match="max_allowed_packet") as caught:
            ask(connection, "SELECT LENGTH(%s)", (b"x" * MB,))
        assert caught.value.args[0] == 2020
        assert ask(connection, "SELECT LENGTH(%s)", ("abc",)) == ((3,),)


def test_what_is_prepared_is_not_held(connect: Connect) -> None:
    connection = connect()
    ask(connection, "SELECT %s", (1,))
    assert connection.holds == ()
    ask(connection, "SELECT GET_LOCK(%s, 0)", ("prepared",))
    assert connection.holds == ("GET_LOCK",)


def test_a_transaction_is_one_whatever_its_cursors(connect: Connect, table: Table) -> None:
    connection, name = connect(), table()
    ask(connection, f"INSERT INTO {name} VALUES (%s)", (1,))
    assert connection.in_transaction
    connection.rollback()
    assert ask(connection, f"SELECT * FROM {name}") == ()
    connection.cursor().execute(f"INSERT INTO {name} VALUES (2)")
    assert ask(connection, f"SELECT * FROM {name} WHERE id = %s", (2,)) == ((2,),)
    connection.rollback()


@pytest.mark.parametrize("kind", [forksafe.cursors.DictCursor, forksafe.cursors.SSDictCursor])
def test_rows_are_what_the_class_of_the_cursor_says(
    connect: Connect, kind: type[forksafe.cursors.DictCursor]
) -> None:
    connection = connect()
    with connection.cursor(kind, prepared=True) as cursor:
        cursor.execute("SELECT %s AS a, 'x' AS b", (1,))
        assert cursor.fetchall() == ({"a": 1, "b": "x"},)
    assert counted(connection, "execute") == 1


def test_the_cursorclass_of_the_connection_prepares_too(connect: Connect) -> None:
    class Mine(forksafe.Cursor):
        """A class of a program's own."""

    connection = connect(cursorclass=Mine)
    cursor = connection.cursor(prepared=True)
    assert type(cursor) is Mine
    cursor.execute("SELECT %s", (1,))
    plain = connection.cursor()
    plain.execute("SELECT %s", (2,))
    assert counted(connection, "execute") == 1


def test_a_prepared_result_streams(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor(forksafe.cursors.SSCursor, prepared=True)
    for _ in range(2):
        sql = "SELECT seq, REPEAT(%s, 100), NULL, CAST('2026-01-02' AS DATE) FROM seq_1_to_50000"
        cursor.execute(sql, ("x",))
        day = datetime.date(2026, 1, 2)
        for number in (1, 2, 3):
            assert cursor.fetchone() == (number, "x" * 100, None, day)
        with pytest.raises(forksafe.ProgrammingError) as caught:
            ask(connection, "SELECT 1")
        assert caught.value.args[0] == 2014
        rows = cursor.fetchmany(40_000)
        assert rows[-1] == (40_003, "x" * 100, None, day)
        assert len(cursor.fetchall()) == 9_997
        assert cursor.fetchone() is None
    cursor.execute(sql, ("y",))
    cursor.close()
    assert ask(connection, "SELECT 2") == ((2,),)
    assert (counted(connection, "prepare"), counted(connection, "execute")) == (2, 4)


def test_a_prepared_result_that_streams_may_fail_later(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor(forksafe.cursors.SSCursor, prepared=True)
    cursor.execute(
        "SELECT (SELECT s.seq FROM seq_1_to_2 s WHERE s.seq <= IF(o.seq = %s, 2, 1)),"
        " REPEAT('x', 100) FROM seq_1_to_9000 o",
        (5000,),
    )
    assert cursor.fetchone() == (1, "x" * 100)
    with pytest.raises(forksafe.OperationalError) as caught:
        cursor.fetchall()
    assert caught.value.args[0] == 1242
    assert ask(connection, "SELECT 3") == ((3,),)
