"""The methods that MySQLdb's connections have beside PEP 249's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT, FLAG
from scripts.mariadb_server import Server
from tests.answers import one

Connect = Callable[..., forksafe.Connection]
Table = Callable[..., str]


def test_a_connection_is_opened_by_its_class_too(server: Server) -> None:
    with forksafe.Connection(server.url()) as connection:
        assert one(connection, "SELECT 1") == 1
        with pytest.raises(forksafe.ProgrammingError, match="opened already"):
            connection.__init__(server.url())  # type: ignore[misc]
    with forksafe.Connection(**server.connect_kwargs()) as connection:
        assert connection.open


def test_a_subclass_may_give_options_and_keep_things(server: Server) -> None:
    class Named(forksafe.Connection):
        def __init__(self, name: str, **options: Any) -> None:
            super().__init__(server.url(), **options)
            self.name = name

    with Named("one", autocommit=True) as connection:
        assert connection.name == "one"
        assert connection.get_autocommit()
        assert connection.cursor().connection is connection


def test_what_was_never_opened_says_so() -> None:
    connection = forksafe.Connection.__new__(forksafe.Connection)
    assert connection.closed
    assert not connection.inherited
    assert "unopened" in repr(connection)
    connection.close()
    for use in (connection.cursor, connection.commit, connection.ping, connection.thread_id):
        with pytest.raises(forksafe.InterfaceError, match="__init__"):
            use()
    with pytest.raises(forksafe.InterfaceError, match="__init__"):
        forksafe.Cursor(connection)


def test_a_statement_without_a_cursor_has_its_rows_whole_or_streamed(connect: Connect) -> None:
    connection = connect()
    for take in (connection.store_result, connection.use_result):
        connection.query("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y'")
        assert connection.field_count() == 2
        result = take()
        assert result is not None
        assert result.fetch_row() == ((1, "x"),)
        assert result.fetch_row(0, 1) == ({"a": 2, "b": "y"},)
        assert result.fetch_row() == ()
        assert result.num_fields() == 2
        assert result.num_rows() == 2
        assert [column[0] for column in result.describe() or ()] == ["a", "b"]
        flags = result.field_flags() or ()
        assert flags[0] & FLAG.NOT_NULL
    assert connection.store_result() is None
    with pytest.raises(forksafe.NotSupportedError, match="store_result"):
        result.data_seek(0)


def test_a_stored_result_can_be_read_again(connect: Connect, table: Table) -> None:
    connection, name = connect(), table("a INT")
    connection.query(f"INSERT INTO {name} VALUES (1), (2)")
    assert connection.store_result() is None
    assert connection.affected_rows() == 2
    connection.query(f"SELECT a FROM {name} ORDER BY a")
    result = connection.store_result()
    assert result is not None
    assert result.fetch_row(0) == ((1,), (2,))
    result.data_seek(1)
    assert result.fetch_row(0) == ((2,),)
    assert result.fetch_row(1) == ()
    result.data_seek(0)
    assert result.fetch_row(1, 2) == ({f"{name}.a": 1},)


def test_several_statements_are_answered_one_by_one(connect: Connect) -> None:
    connection = connect()
    connection.query("SELECT 1; DO 0; SELECT 2")
    assert connection.more_results()
    connection.discard_result()
    assert connection.next_result() == 0
    assert connection.use_result() is None
    assert connection.next_result() == 0
    result = connection.store_result()
    assert result is not None
    assert not result.has_next
    assert result.fetch_row(0) == ((2,),)
    assert connection.next_result() == -1
    assert one(connection, "SELECT 3") == 3


def test_rows_that_nobody_asked_for_are_in_nobodys_way(connect: Connect) -> None:
    connection = connect()
    connection.query("SELECT 1")
    connection.query("SELECT 2; SELECT 3")
    connection.query("SELECT 4")
    result = connection.store_result()
    assert result is not None
    assert result.fetch_row(0) == ((4,),)
    connection.query("SELECT 1 UNION SELECT 2")
    with pytest.raises(forksafe.ProgrammingError, match="2014"):
        connection.cursor().execute("SELECT 5")
    assert connection.next_result() == -1
    assert one(connection, "SELECT 5") == 5


def test_a_cursors_further_answers_can_be_taken_from_it(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1; SELECT 2")
    assert connection.more_results()
    assert connection.next_result() == 0
    assert cursor.nextset() is None
    result = connection.store_result()
    assert result is not None
    assert result.fetch_row() == ((2,),)


def test_parameters_are_written_in_the_character_set_of_the_moment(connect: Connect) -> None:
    connection = connect()
    assert (connection.character_set_name(), connection.encoding) == ("utf8mb4", "utf8")
    connection.set_character_set("latin1", "latin1_german2_ci")
    assert connection.character_set_name() == "latin1"
    assert connection.get_character_set_info() == {
        "name": "latin1",
        "collation": "latin1_german2_ci",
        "comment": "cp1252 West European",
        "mbminlen": 1,
        "mbmaxlen": 1,
    }
    assert one(connection, "SELECT HEX(%s)", ("ä",)) == "E4"
    assert one(connection, "SELECT %s", ("ä€",)) == "ä€"
    assert connection.literal("ä") == b"'\xe4'"


@pytest.mark.parametrize("charset", ["gbk", "sjis", "big5", "cp932", "gb18030", "utf16", "nothing"])
def test_a_character_set_that_is_not_safe_is_refused(connect: Connect, charset: str) -> None:
    connection = connect()
    with pytest.raises(forksafe.ProgrammingError, match=charset):
        connection.set_character_set(charset)
    with pytest.raises(forksafe.ProgrammingError, match="collation"):
        connection.set_character_set("latin1", "latin1_bin; DROP TABLE t")
    assert one(connection, "SELECT HEX(%s)", ("ä",)) == "C3A4"


@pytest.mark.parametrize("reset", ["rollback", "session"])
def test_a_pool_takes_a_change_of_character_set_back(
    make_pool: Callable[..., forksafe.Pool], reset: str
) -> None:
    pool = make_pool(max_size=1, reset=reset)
    for _ in range(2):
        with pool.connection() as connection:
            session = connection.thread_id()
            assert connection.character_set_name() == "utf8mb4"
            assert one(connection, "SELECT HEX(%s)", ("ä",)) == "C3A4"
            assert one(connection, "SELECT @@character_set_client") == "utf8mb4"
            connection.set_character_set("latin1")
            assert one(connection, "SELECT @@character_set_client") == "latin1"
    with pool.connection() as connection:
        assert connection.thread_id() == session


def test_a_pool_allows_what_it_allowed_before(make_pool: Callable[..., forksafe.Pool]) -> None:
    pool = make_pool(max_size=1)
    with pool.connection() as connection:
        session = connection.thread_id()
        connection.set_server_option(1)
        with pytest.raises(forksafe.ProgrammingError, match="1064"):
            connection.query("SELECT 1; SELECT 2")
        with pytest.raises(forksafe.ProgrammingError, match="server option"):
            connection.set_server_option(7)
    with pool.connection() as connection:
        assert connection.thread_id() == session
        connection.query("SELECT 1; SELECT 2")


def test_the_last_error_is_told_until_a_statement_goes_well(connect: Connect) -> None:
    connection = connect()
    assert (connection.errno(), connection.error(), connection.sqlstate()) == (0, "", "00000")
    with pytest.raises(forksafe.ProgrammingError):
        connection.query("SELECT FROM")
    assert (connection.errno(), connection.sqlstate()) == (1064, "42000")
    assert "syntax" in connection.error()
    connection.ping()
    assert (connection.errno(), connection.error(), connection.sqlstate()) == (0, "", "00000")


def test_what_the_server_says_in_words_is_told(connect: Connect, table: Table) -> None:
    connection, name = connect(), table("a INT")
    assert connection.info() is None
    connection.query(f"INSERT INTO {name} VALUES (1), (2)")
    assert connection.info() == "Records: 2  Duplicates: 0  Warnings: 0"
    connection.query(f"UPDATE {name} SET a = 2")
    assert connection.info() == "Rows matched: 2  Changed: 1  Warnings: 0"
    assert one(connection, "SELECT 1") == 1
    assert connection.info() is None
    assert "Uptime" in connection.stat()
    assert one(connection, "SELECT 1") == 1


def test_another_session_can_be_killed(connect: Connect) -> None:
    connection, other = connect(), connect()
    connection.kill(other.thread_id())
    with pytest.raises(forksafe.OperationalError, match="2006|2013"):
        other.ping()
    with pytest.raises(forksafe.OperationalError, match="1094"):
        connection.kill(other_id := 2**31)
    assert other_id not in (connection.thread_id(),)


def test_what_makes_no_sense_says_what_to_do(connect: Connect) -> None:
    connection = connect()
    connection.ping(reconnect=True)  # which it never does
    connection.ping(False)


def test_where_it_goes_is_told(connect: Connect, server: Server) -> None:
    connection = connect()
    assert (connection.host, connection.port) == (server.host, server.port)
    assert (connection.user, connection.db) == (server.user, server.database)
    assert connection.database == connection.db
    assert connection.get_proto_info() == 10
    assert connection.server_capabilities & CLIENT.MULTI_STATEMENTS
    assert connection.messages == []
    assert not connection.closed


def test_cursors_are_of_the_class_that_was_set(connect: Connect) -> None:
    connection = connect()
    assert connection.cursorclass is forksafe.Cursor
    connection.cursorclass = forksafe.cursors.DictCursor
    assert type(connection.cursor()) is forksafe.cursors.DictCursor
    assert type(connection.cursor(forksafe.Cursor)) is forksafe.Cursor


def test_a_mapping_says_how_values_are_escaped(connect: Connect) -> None:
    class Point:
        pass

    connection = connect(conv={**forksafe.converters.conversions, Point: lambda *_: "POINT(1, 2)"})
    encoders = connection.encoders
    assert connection.escape(Point(), encoders) == "POINT(1, 2)"
    assert connection.escape(Point()) == b"POINT(1, 2)"
    assert connection.escape("it's", encoders) == b"'it\\'s'"
    assert connection.escape(5, encoders) == "5"
    assert connection.string_literal(5) == b"'5'"
    assert connection.string_literal(b"a'b") == b"'a\\'b'"
    assert connection.converter[3] is int
    with pytest.raises(TypeError):
        connection.escape(5, 7)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        encoders[int] = str  # type: ignore[index]


def test_bytes_are_marked_unless_the_program_wants_them_as_text(connect: Connect) -> None:
    assert one(connect(), "SELECT CHARSET(%s)", (b"x",)) == "binary"
    assert one(connect(binary_prefix=False), "SELECT CHARSET(%s)", (b"x",)) == "utf8mb4"
