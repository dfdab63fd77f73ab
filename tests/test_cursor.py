"""A cursor: placeholders in, rows out, one statement's answers after another's."""

from __future__ import annotations

import collections
import gc
import types
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.constants import FIELD_TYPE
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]


@pytest.fixture
def connection(connect: Connect) -> forksafe.Connection:
    """A connection that commits by itself."""
    return connect(autocommit=True)


@pytest.fixture
def cursor(connection: forksafe.Connection) -> forksafe.Cursor:
    """A cursor on `connection`."""
    return connection.cursor()


@pytest.fixture
def procedure(server: Server) -> Any:
    """`procedure(body)`: the name of a new stored procedure, dropped after the test."""
    made: list[str] = []

    def make(body: str) -> str:
        made.append(f"p{len(made)}")
        name = f"{server.database}.{made[-1]}"
        drop = f"DROP PROCEDURE IF EXISTS {name};\n"
        server.execute_as_root(f"{drop}DELIMITER //\nCREATE PROCEDURE {name} {body} //")
        return made[-1]

    yield make
    for name in made:
        server.execute_as_root(f"DROP PROCEDURE IF EXISTS {server.database}.{name}")


@pytest.mark.parametrize(
    ("sql", "args", "row"),
    [
        ("SELECT %s, %s", (1, "a"), (1, "a")),
        ("SELECT %s, %s", [1, "a"], (1, "a")),
        ("SELECT %(b)s, %(a)s, %(b)s", {"a": 1, "b": "x", "unused": 3}, ("x", 1, "x")),
        ("SELECT %(a)s", types.MappingProxyType({"a": 1}), (1,)),
        ("SELECT %(a)s", collections.defaultdict(int), (0,)),
        ("SELECT '100%%', %s", ("%s %%",), ("100%", "%s %%")),
        ("SELECT '%%s'", (), ("%s",)),
        ("SELECT '%%'", {}, ("%",)),
        ("SELECT '%% %s %(a)s'", None, ("%% %s %(a)s",)),
        (b"SELECT %s, '\xc3\xa4'", ("ä",), ("ä", "ä")),
        ("SELECT HEX(_binary %s), HEX(_binary'%%')", (b"\xff'",), ("FF27", "25")),
        ("SELECT 2 IN %s, 4 IN %s", ((1, 2), [1, 2]), (1, 0)),
        ("SELECT 'b' IN %(names)s", {"names": {"a", "b'"}}, (0,)),
    ],
)
def test_placeholders_are_filled_in(
    cursor: forksafe.Cursor, sql: str | bytes, args: Any, row: tuple[Any, ...]
) -> None:
    assert cursor.execute(sql, args) == 1
    assert cursor.fetchall() == (row,)


@pytest.mark.parametrize(
    ("sql", "args", "wanted"),
    [
        ("SELECT %s, %s", (1,), "more `%s` than the 1"),
        ("SELECT %s", (1, 2), "2 parameters were given, the statement has 1"),
        ("SELECT 1", (1,), "1 parameters were given, the statement has 0"),
        ("SELECT %s", {"a": 1}, "must be a sequence"),
        ("SELECT %(a)s", (1,), "must be a mapping"),
        ("SELECT %(a)s", {"b": 1}, 'no parameter is named "a"'),
        ("SELECT '50%', %s", (1,), "%"),
        ("SELECT %d", (1,), "`%` must be followed by s"),
        ("SELECT %(a", {"a": 1}, "`%` must be followed by s"),
        ("SELECT %s", "abc", r"for one, write \(value,\)"),
        ("SELECT %s", 5, "a sequence or a mapping, not as a int"),
    ],
)
def test_placeholders_that_do_not_fit_are_refused(
    cursor: forksafe.Cursor, sql: str, args: Any, wanted: str
) -> None:
    with pytest.raises(forksafe.ProgrammingError, match=wanted):
        cursor.execute(sql, args)
    assert cursor._executed is None


def test_the_statement_sent_can_be_read(cursor: forksafe.Cursor) -> None:
    assert cursor._executed is None
    cursor.execute("SELECT %s", ("ä'",))
    assert cursor._executed == "SELECT 'ä\\''".encode()
    assert cursor.mogrify("SELECT %(a)s, '%%'", {"a": b"x"}) == "SELECT _binary'x', '%'"
    assert cursor.mogrify("SELECT '%%'") == "SELECT '%%'"


def test_rows_are_fetched_one_some_and_all(cursor: forksafe.Cursor) -> None:
    assert cursor.execute("SELECT seq FROM seq_1_to_10") == 10
    assert cursor.rowcount == 10
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == ((2,),)
    cursor.arraysize = 3
    assert cursor.fetchmany() == ((3,), (4,), (5,))
    assert cursor.fetchmany(2) == ((6,), (7,))
    assert cursor.rownumber == 7
    assert next(cursor) == (8,)
    assert list(cursor) == [(9,), (10,)]
    assert (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (None, (), ())


def test_a_cursor_without_a_result_has_nothing_to_fetch(
    cursor: forksafe.Cursor, connection: forksafe.Connection
) -> None:
    assert (cursor.rowcount, cursor.description, cursor.lastrowid) == (-1, None, None)
    cursor.execute("SET @a = 1")
    for empty in (cursor, connection.cursor()):
        for fetch in (empty.fetchone, empty.fetchmany, empty.fetchall, empty.__next__):
            with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
                fetch()


def test_a_failed_statement_leaves_no_old_rows(cursor: forksafe.Cursor) -> None:
    cursor.execute("SELECT 1")
    with pytest.raises(forksafe.ProgrammingError):
        cursor.execute("SELEKT")
    assert (cursor.rowcount, cursor.description) == (-1, None)
    with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
        cursor.fetchall()


def test_the_description_has_seven_items_a_column(cursor: forksafe.Cursor) -> None:
    cursor.execute("CREATE TEMPORARY TABLE t (n DECIMAL(8,3) NOT NULL, `ü x` VARCHAR(5), b BLOB)")
    assert cursor.description is None
    cursor.execute("SELECT n, `ü x`, b, 1 AS `1` FROM t")
    assert cursor.description is not None
    assert {len(column) for column in cursor.description} == {7}
    names, codes, _, _, _, scales, nullable = zip(*cursor.description, strict=True)
    assert names == ("n", "ü x", "b", "1")
    assert codes[:3] == (FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.VAR_STRING, FIELD_TYPE.BLOB)
    assert codes[3] in (FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG)  # MariaDB's and MySQL's mind
    assert codes[0] == forksafe.NUMBER
    assert scales[0] == 3
    assert nullable[:3] == (False, True, True)


def test_rowcount_and_lastrowid_tell_what_a_statement_did(
    cursor: forksafe.Cursor, table: Table
) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    assert cursor.execute(f"INSERT INTO {name} (v) VALUES (1), (2), (2)") == 3
    assert (cursor.rowcount, cursor.lastrowid) == (3, 1)
    assert (cursor.connection.affected_rows(), cursor.connection.insert_id()) == (3, 1)
    assert cursor.execute(f"UPDATE {name} SET v = 2") == 1
    assert (cursor.rowcount, cursor.lastrowid) == (1, 0)
    assert cursor.execute(f"DELETE FROM {name} WHERE v = 9") == 0
    cursor.execute(f"INSERT INTO {name} VALUES (4000000000 - 2000000000, 1)")
    assert cursor.lastrowid == 2_000_000_000


@pytest.mark.usefixtures("mariadb")
def test_an_insert_returns_what_it_made(cursor: forksafe.Cursor, table: Table) -> None:
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    cursor.execute(f"INSERT INTO {name} (v) VALUES (5) RETURNING id, v")
    assert cursor.fetchall() == ((1, 5),)


def test_the_answers_of_several_statements_come_one_after_another(cursor: forksafe.Cursor) -> None:
    cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
    cursor.execute("SELECT 1, 'ü'; INSERT INTO t VALUES (1), (2); SELECT a FROM t WHERE a = 2")
    assert cursor.fetchall() == ((1, "ü"),)
    assert cursor.nextset() is True
    assert (cursor.rowcount, cursor.description) == (2, None)
    assert cursor.nextset() is True
    assert cursor.fetchall() == ((2,),)
    assert cursor.nextset() is None
    cursor.execute("SELECT 3")
    assert cursor.nextset() is None


def test_an_error_in_the_second_statement_is_raised_there(cursor: forksafe.Cursor) -> None:
    cursor.execute("SELECT 1; SELECT * FROM nowhere; SELECT 3")
    assert cursor.fetchone() == (1,)
    with pytest.raises(forksafe.ProgrammingError) as caught:
        cursor.nextset()
    assert caught.value.args[0] == 1146
    assert cursor.nextset() is None
    cursor.execute("SELECT 4")
    assert cursor.fetchone() == (4,)


def test_unread_answers_of_another_cursor_are_not_thrown_away(
    connection: forksafe.Connection,
) -> None:
    reading, other = connection.cursor(), connection.cursor()
    reading.execute("SELECT 1; SELECT 2")
    for use in (lambda: other.execute("SELECT 3"), connection.commit, connection.ping):
        with pytest.raises(forksafe.ProgrammingError) as caught:
            use()
        assert caught.value.args[0] == 2014
    assert reading.nextset()
    assert reading.fetchall() == ((2,),)
    other.execute("SELECT 3")
    assert other.fetchone() == (3,)


def test_unread_answers_end_with_their_cursor(connection: forksafe.Connection) -> None:
    other = connection.cursor()
    for end in ("close", "with", "gc", "execute"):
        reading = connection.cursor()
        reading.execute("SELECT 1; SELECT 2; SELECT 3")
        if end == "close":
            reading.close()
        elif end == "with":
            with reading:
                pass
        elif end == "execute":
            reading.execute("SELECT 5")
            assert reading.fetchall() == ((5,),)
        else:
            del reading
            gc.collect()
        other.execute("SELECT 4")
        assert other.fetchall() == ((4,),)


def test_a_closed_cursor_is_closed_for_good(cursor: forksafe.Cursor) -> None:
    cursor.execute("SELECT 1")
    with cursor as same:
        assert same is cursor
    cursor.close()
    for use in (lambda: cursor.execute("SELECT 1"), cursor.fetchone, cursor.nextset):
        with pytest.raises(forksafe.ProgrammingError, match="this cursor is closed") as caught:
            use()
        assert caught.value.args[0] == 2000, "2006 would condemn the connection, which is well"


def test_a_procedure_answers_results_and_out_parameters(
    cursor: forksafe.Cursor, procedure: Any
) -> None:
    body = "(IN a INT, INOUT b VARCHAR(9), OUT c INT) BEGIN SELECT a, b; SELECT b; SET c = a + 1,"
    name = procedure(f"{body} b = CONCAT(b, '!'); END")
    args = (41, "it's", None)
    assert cursor.callproc(name, args) == args
    assert cursor.fetchall() == ((41, "it's"),)
    assert cursor.nextset()
    assert cursor.fetchall() == (("it's",),)
    while cursor.nextset():
        pass
    cursor.execute(f"SELECT @`_{name}_0`, @`_{name}_1`, @`_{name}_2`")
    assert cursor.fetchall() == ((41, "it's!", 42),)


def test_a_procedure_without_parameters_is_called(cursor: forksafe.Cursor, procedure: Any) -> None:
    assert list(cursor.callproc(procedure("() SELECT 7"))) == []
    assert cursor.fetchall() == ((7,),)
    cursor.execute("SELECT 8")
    assert cursor.fetchall() == ((8,),)


def test_the_empty_calls_of_pep_249_are_there(cursor: forksafe.Cursor) -> None:
    assert cursor.setinputsizes([1, 2]) is None
    assert cursor.setoutputsize(10, 1) is None
    assert cursor.arraysize == 1


def test_a_cursor_of_another_class_is_made_on_demand(connection: forksafe.Connection) -> None:
    class Wrapped:
        def __init__(self, connection: forksafe.Connection) -> None:
            self.cursor = forksafe.Cursor(connection)

    wrapped = connection.cursor(Wrapped)
    assert isinstance(wrapped, Wrapped)
    assert wrapped.cursor.execute("SELECT 1") == 1
