"""A prepared cursor has the server prepare each statement once a session, and execute it often."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.proxy import FaultProxy

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]
Table = Callable[..., str]

MB = 1024 * 1024


def counted(connection: forksafe.Connection, command: str) -> int:
    """How many COM_STMT_`command` the server has had from this session."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_stmt_%'")
        counts = {name: int(count) for name, count in cursor.fetchall()}
    count = counts[f"Com_stmt_{command}"]
    if command == "prepare" and "MariaDB" not in connection.get_server_info():
        # MySQL adds those that it prepares again by itself, for parameters of other types.
        count -= counts["Com_stmt_reprepare"]
    return count


def ask(connection: forksafe.Connection, sql: str, args: Any = None) -> tuple[Any, ...]:
    with connection.cursor(prepared=True) as cursor:
        cursor.execute(sql, args)
        return cursor.fetchall() if cursor.description else ()


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


@pytest.mark.parametrize(
    ("sql", "args", "row"),
    [
        ("SELECT %s, '50%%', 7 %% %s", (1, 4), (1, "50%", 3)),
        ("SELECT '?', \"?\", 2 AS `a?`, %s -- ?\n /* ? */ # ?", (3,), ("?", "?", 2, 3)),
        ("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": "x"}, ("x", 1, "x")),
        ("SELECT '%s', '%%', '%(a)s', 7 % 4", None, ("%s", "%%", "%(a)s", 3)),
        ("SELECT /*!50000 %s */", (5,), (5,)),
        ("SELECT 'it''s', 'a\\'b', %s", (6,), ("it's", "a'b", 6)),
        ("SELECT 1", (), (1,)),
    ],
)
def test_places_are_where_the_server_takes_values(
    connect: Connect, sql: str, args: Any, row: tuple[Any, ...]
) -> None:
    assert ask(connect(), sql, args) == (row,)


def test_a_backslash_ends_no_string_where_it_escapes_nothing(connect: Connect) -> None:
    connection = connect(sql_mode="NO_BACKSLASH_ESCAPES")
    assert ask(connection, "SELECT '\\', %s", ("'\\",)) == (("\\", "'\\"),)


@pytest.mark.parametrize(
    ("sql", "args", "text"),
    [
        ("SELECT ?", (1,), "not `\\?`"),
        ("SELECT ?", None, "not `\\?`"),
        ("SELECT '%s'", (1,), "takes no value; here: %s'"),
        ("SELECT `%s`", (1,), "takes no value"),
        ("SELECT 1 -- %s", (1,), "takes no value"),
        ("SELECT /* %(a)s */ 1", {"a": 1}, "takes no value"),
        ("SELECT %s", ([1, 2],), "a list cannot be a parameter of a prepared statement"),
        ("SELECT %s", ((),), "a tuple cannot be a parameter of a prepared statement"),
        ("SELECT /*!999999 %s */ 1", (1,), "the server found 0 places"),
    ],
)
def test_what_cannot_be_prepared_as_meant_is_refused(
    connect: Connect, sql: str, args: Any, text: str
) -> None:
    connection = connect()
    with pytest.raises(forksafe.Error, match=text):
        ask(connection, sql, args)
    assert ask(connection, "SELECT %s", (1,)) == ((1,),)
    assert counted(connection, "execute") == 1


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("SELECT %s", ()),
        ("SELECT %s", (1, 2)),
        ("SELECT %s", {"a": 1}),
        ("SELECT %(a)s", {"b": 1}),
        ("SELECT %(a)s", (1,)),
        ("SELECT %d", (1,)),
        ("SELECT 5 % 2", (1,)),
        ("SELECT %s", "text"),
        ("SELECT %s", 5),
        ("SELECT %s", (object(),)),
        ("SELECT %s", ({"a": 1},)),
        ("SELECT %s", (float("nan"),)),
        ("SELECT %s", (float("-inf"),)),
        ("SELECT %s", (Decimal("NaN"),)),
        ("SELECT %s", ("\ud800",)),
        (5, None),
    ],
)
def test_what_is_refused_is_refused_as_by_a_plain_cursor(
    connect: Connect, sql: Any, args: Any
) -> None:
    connection = connect()
    refusals = []
    for prepared in (False, True):
        with pytest.raises((forksafe.ProgrammingError, UnicodeEncodeError)) as caught:
            connection.cursor(prepared=prepared).execute(sql, args)
        refusals.append((caught.type, caught.value.args))
    assert refusals[0] == refusals[1]
    assert counted(connection, "prepare") == 0


def test_a_refused_execution_leaves_the_statement_and_the_cursor_as_they_are(
    connect: Connect, table: Table
) -> None:
    connection = connect(autocommit=True)
    insert = f"INSERT INTO {table()} VALUES (%s)"
    cursor = connection.cursor(prepared=True)
    cursor.execute(insert, (1,))
    with pytest.raises(forksafe.IntegrityError) as caught:
        cursor.execute(insert, (1,))
    assert caught.value.args[0] == 1062
    assert cursor.execute(insert, (2,)) == 1
    assert counted(connection, "prepare") == 1


@pytest.mark.parametrize(
    ("sql", "errno"),
    [
        ("SELECT FROM", 1064),
        ("SELECT 1; SELECT 2", 1064),
        ("SELECT * FROM no_such_table", 1146),
        # What the server cannot prepare is not sent as a query behind the program's back.
        ("PREPARE s FROM 'SELECT 1'", 1295),
    ],
)
def test_what_the_server_does_not_prepare_is_its_error(
    connect: Connect, sql: str, errno: int
) -> None:
    connection = connect()
    cursor = connection.cursor(prepared=True)
    with pytest.raises(forksafe.Error) as caught:
        cursor.execute(sql)
    assert caught.value.args[0] == errno
    cursor.execute("SELECT 2")
    assert cursor.fetchall() == ((2,),)
    assert counted(connection, "execute") == 1


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


def test_a_session_that_died_is_an_error_and_the_next_one_prepares_anew(
    make_pool: MakePool, server: Server
) -> None:
    pool = make_pool(max_size=1)
    with pool.connect() as connection:
        ask(connection, "SELECT %s", (1,))
        server.execute_as_root(f"KILL {connection.thread_id()}")
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT %s", (1,))
        assert caught.value.args[0] in (2006, 2013)
    with pool.connection() as connection:
        assert ask(connection, "SELECT %s", (2,)) == ((2,),)
        assert counted(connection, "prepare") == 1


def test_a_death_before_the_execution_was_sent_is_2006(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
    proxy.swallow()
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2006  # a statement that was only being prepared has not run
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2006


def test_a_death_after_the_execution_was_sent_is_2013(connect: Connect, proxy: FaultProxy) -> None:
    connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
    ask(connection, "SELECT %s", (1,))
    proxy.swallow()
    with pytest.raises(forksafe.OperationalError) as caught:
        ask(connection, "SELECT %s", (1,))
    assert caught.value.args[0] == 2013


@pytest.mark.parametrize("cut", ["cut", "cut_rst"])
def test_an_end_in_the_middle_of_an_answer_is_a_death(
    connect: Connect, proxy: FaultProxy, cut: str
) -> None:
    for count in (1, 5, 12, 13, 40, 60, 90, 120, 10_000):
        proxy.pass_()
        connection = connect(host=proxy.host, port=proxy.port, read_timeout=5)
        getattr(proxy, cut)(count)
        with pytest.raises(forksafe.OperationalError) as caught:
            ask(connection, "SELECT %s, REPEAT('x', 100000)", (1,))
        assert caught.value.args[0] in (2006, 2013), count
        with pytest.raises(forksafe.OperationalError) as caught:
            connection.ping()
        assert caught.value.args[0] == 2006


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
