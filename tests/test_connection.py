"""A connection: how it is opened, what it tells of itself, what it costs."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.answers import wait_until

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]

# What could end a string early, or be taken for an escape, on one kind of connection or another.
NASTY = [
    "'",
    "\\",
    "\\'",
    "'' OR 1=1 -- ",
    "\\' OR 1=1 -- ",
    "\\\\' OR 1=1 #",
    '"',
    "`; DROP TABLE x; --",
    "%s %(a)s %%",
    "a\0b\nc\rd\x1ae\tf\bg",
    "/* */ -- #",
    "ä\\",
]
KINDS = {
    "default": {},
    "latin1": {"charset": "latin1"},
    "ascii": {"charset": "ascii"},
    "no_backslash": {"sql_mode": "NO_BACKSLASH_ESCAPES"},
    "no_backslash_latin1": {"sql_mode": "NO_BACKSLASH_ESCAPES", "charset": "latin1"},
    "ansi": {"sql_mode": "ANSI,NO_BACKSLASH_ESCAPES"},
    "init_command": {"init_command": "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'"},
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of a connection on which strings are written in another way."""
    return KINDS[request.param]


def one(connection: forksafe.Connection, sql: str, args: Any = None) -> Any:
    """The first value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql, args)
    row = cursor.fetchone()
    assert row is not None
    return row[0]


def counters(connection: forksafe.Connection, *names: str) -> list[int]:
    """Counters of this session, such as Questions; asking is one question more."""
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS WHERE Variable_name IN %s", (names,))
    found = dict(cursor.fetchall())
    return [int(found[name]) for name in names]


def test_every_byte_of_a_bytes_parameter_arrives(connect: Connect, kind: dict[str, Any]) -> None:
    connection = connect(**kind)
    for value in [bytes([byte]) for byte in range(256)] + [bytes(range(256)) * 2]:
        assert one(connection, "SELECT HEX(%s)", (value,)) == value.hex().upper()


def test_every_character_of_a_text_parameter_arrives(
    connect: Connect, kind: dict[str, Any]
) -> None:
    connection = connect(**kind)
    for character in [*map(chr, range(256)), "€", "🐬", "ab" * 1000 + "'"]:
        try:
            expected = encoded(character, kind).hex().upper()
        except UnicodeEncodeError:
            with pytest.raises(UnicodeEncodeError):
                one(connection, "SELECT HEX(%s)", (character,))
        else:
            cursor = connection.cursor()
            cursor.execute("SELECT HEX(%s), %s", (character, character))
            assert cursor.fetchone() == (expected, character)


def encoded(text: str, kind: dict[str, Any]) -> bytes:
    """Text as a connection of this kind sends it.

    MySQL's latin1 is Windows-1252, with the five bytes that it leaves out for themselves.
    """
    if text in "\x81\x8d\x8f\x90\x9d" and kind.get("charset") == "latin1":
        return text.encode("latin-1")
    return text.encode({"latin1": "cp1252", "ascii": "ascii"}.get(kind.get("charset", ""), "utf-8"))


@pytest.mark.parametrize("value", NASTY)
def test_a_parameter_stays_one_value_whatever_is_in_it(
    connect: Connect, kind: dict[str, Any], value: str
) -> None:
    connection = connect(**kind)
    if kind.get("charset") == "ascii":
        value = value.replace("ä", "a")
    cursor = connection.cursor()
    cursor.execute("SELECT %s, %s, LENGTH(%s)", (value, value.encode(), value))
    back, in_bytes, length = cursor.fetchone() or ()
    assert (back, in_bytes) == (value, value.encode())
    assert length == len(encoded(value, kind))
    assert one(connection, "SELECT COUNT(*) FROM (SELECT 1 x) t WHERE %s = ''", (value,)) == 0


def test_a_change_of_sql_mode_is_noticed_at_once(connect: Connect) -> None:
    connection = connect()
    value = "\\' OR 1=1 -- "
    for mode in ("NO_BACKSLASH_ESCAPES", "", "NO_BACKSLASH_ESCAPES"):
        connection.cursor().execute("SET SESSION sql_mode = %s", (mode,))
        assert one(connection, "SELECT %s", (value,)) == value
        escaped = connection.escape_string(value).decode()
        assert one(connection, f"SELECT '{escaped}'") == value


def test_columns_of_any_character_set_are_read_on_a_latin1_connection(connect: Connect) -> None:
    connection = connect(charset="latin1")
    cursor = connection.cursor()
    cursor.execute("CREATE TEMPORARY TABLE t (ä VARCHAR(9) CHARACTER SET utf8mb4)")
    cursor.execute("INSERT INTO t VALUES (%s)", ("Größe €",))
    cursor.execute("SELECT ä FROM t")
    assert cursor.fetchone() == ("Größe €",)
    assert cursor.description is not None
    assert cursor.description[0][0] == "ä"


def test_a_connection_tells_where_it_goes_and_what_answers(
    connect: Connect, transport: str, server: Server
) -> None:
    connection = connect(transport)
    assert connection.thread_id() == one(connection, "SELECT CONNECTION_ID()")
    assert connection.get_server_info() == one(connection, "SELECT VERSION()")
    assert connection.character_set_name() == one(connection, "SELECT @@character_set_client")
    place = server.unix_socket if transport == "socket" else f"{server.host}:{server.port}"
    assert place in connection.get_host_info()
    assert f"#{connection.thread_id()} to '{server.user}'@{place}" in repr(connection)
    assert os.fstat(connection.fileno())


def test_commit_and_rollback_cost_nothing_when_nothing_is_open(
    connect: Connect, table: Table
) -> None:
    name, connection = table("id INT PRIMARY KEY"), connect()
    names = ("Questions", "Com_commit", "Com_rollback")
    questions, *_ = counters(connection, *names)
    for _ in range(5):
        connection.commit()
        connection.rollback()
    assert counters(connection, *names) == [questions + 1, 0, 0]
    connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    assert connection.in_transaction
    connection.rollback()
    connection.cursor().execute(f"INSERT INTO {name} VALUES (2)")
    connection.commit()
    assert not connection.in_transaction
    assert counters(connection, *names)[1:] == [1, 1]
    assert one(connection, f"SELECT GROUP_CONCAT(id) FROM {name}") == "2"


def test_a_transaction_is_seen_by_others_after_commit_and_not_before(
    connect: Connect, table: Table
) -> None:
    name, writer, reader = table("id INT PRIMARY KEY"), connect(), connect(autocommit=True)
    writer.begin()
    writer.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    assert one(reader, f"SELECT COUNT(*) FROM {name}") == 0
    writer.commit()
    assert one(reader, f"SELECT COUNT(*) FROM {name}") == 1


def test_closing_rolls_back_and_ends_the_session(
    connect: Connect, table: Table, server: Server
) -> None:
    name = table("id INT PRIMARY KEY")
    with connect() as connection:
        session = connection.thread_id()
        connection.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    assert not connection.open
    connection.close()
    wait_until(lambda: session not in server.session_ids())
    assert one(connect(), f"SELECT COUNT(*) FROM {name}") == 0


def test_a_connection_nobody_refers_to_ends_its_session(connect: Connect, server: Server) -> None:
    connection = connect()
    session, gone = connection.thread_id(), weakref.ref(connection)
    del connection
    gc.collect()
    assert gone() is None
    wait_until(lambda: session not in server.session_ids())


def test_a_goodbye_is_said(connect: Connect, server: Server) -> None:
    before = server.status("Aborted_clients")
    for transport in server.transports:
        connection = connect(transport)
        session = connection.thread_id()
        connection.close()
        wait_until(lambda session=session: session not in server.session_ids())
    assert server.status("Aborted_clients") == before


def test_other_threads_run_while_one_waits_for_the_server(connect: Connect) -> None:
    connection = connect()
    sleeping = threading.Thread(target=one, args=(connection, "SELECT SLEEP(0.4)"))
    sleeping.start()
    longest, last = 0.0, time.monotonic()
    while sleeping.is_alive():
        time.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert longest < 0.25


def test_a_connection_refuses_a_second_thread_and_goes_on_with_the_first(connect: Connect) -> None:
    connection = connect()
    answers: list[Any] = []
    sleeping = threading.Thread(
        target=lambda: answers.append(one(connection, "SELECT SLEEP(0.3) + 7"))
    )
    sleeping.start()
    time.sleep(0.1)
    cursor = connection.cursor
    for use in (connection.commit, connection.ping, cursor, connection.close):
        with pytest.raises(forksafe.ProgrammingError, match="in use by another thread"):
            use()
    assert connection.open
    sleeping.join()
    assert answers == [7]
    assert one(connection, "SELECT 1") == 1


def test_ping_and_probe_tell_a_living_session_from_a_dead_one(
    connect: Connect, transport: str, server: Server
) -> None:
    connection = connect(transport)
    assert counters(connection, "Com_admin_commands") == [0]
    connection.ping()
    assert connection.probe()
    assert connection.probe()
    assert counters(connection, "Com_admin_commands") == [1], "a ping is one, a probe is none"
    server.kill_session(connection.thread_id())
    wait_until(lambda: not connection.probe())
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.ping()
    assert caught.value.args[0] == 2006


def test_what_a_session_holds_is_noticed(connect: Connect) -> None:
    connection = connect()
    assert connection.holds == ()
    cursor = connection.cursor()
    cursor.execute("SELECT GET_LOCK(%s, 0)", ("@x",))
    cursor.execute("CREATE TEMPORARY TABLE held (id INT)")
    assert connection.holds == ("GET_LOCK", "TEMPORARY TABLE")
    connection.forget_holds()
    assert connection.holds == ()


def test_select_db_changes_the_default_database(connect: Connect) -> None:
    connection = connect(database=None)
    assert one(connection, "SELECT DATABASE()") is None
    connection.select_db("information_schema")
    assert one(connection, "SELECT DATABASE()") == "information_schema"
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.select_db("nowhere")
    assert caught.value.args[0] == 1049
    assert one(connection, "SELECT DATABASE()") == "information_schema"


def test_warnings_can_be_read(connect: Connect) -> None:
    connection = connect()
    assert one(connection, "SELECT CAST('1x' AS SIGNED) + CAST('2y' AS SIGNED)") == 3
    assert connection.warning_count() == 2
    ((level, number, text), _) = connection.show_warnings()
    assert (level, number) == ("Warning", 1292)
    assert "'1x'" in text
