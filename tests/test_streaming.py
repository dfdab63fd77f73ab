"""An SS cursor: rows stay with the server until they are fetched, and come as any others do."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.cursors import Cursor, SSCursor, SSDictCursor
from scripts.mariadb_server import Server
from tests import watched

witness = watched.witness

Connect = Callable[..., forksafe.Connection]

# Many parts; and a row in each that is larger than a part.
MANY = (
    "SELECT seq, REPEAT(CHAR(97 + seq % 26), IF(seq % 1000, seq % 100, 100000)) FROM seq_1_to_9000"
)
# Its five-thousandth row fails, long after the first ones were sent.
FAILS_LATE = (
    "SELECT o.seq, (SELECT s.seq FROM seq_1_to_2 s WHERE s.seq <= IF(o.seq = 5000, 2, 1)) AS one,"
    " REPEAT('x', 100) FROM seq_1_to_9000 o"
)


def whole(connection: forksafe.Connection, sql: str) -> list[Any]:
    """The rows of `sql`, by a cursor that does not stream."""
    with connection.cursor(Cursor) as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def assert_unread(connection: forksafe.Connection) -> None:
    """Rows are unread, so every other statement is refused and nothing is lost by it."""
    other = connection.cursor(Cursor)
    for use in (
        lambda: other.execute("SELECT 3"),
        connection.commit,
        connection.rollback,
        connection.ping,
        connection.begin,
        connection.show_warnings,
    ):
        with pytest.raises(forksafe.ProgrammingError) as caught:
            use()
        assert caught.value.args[0] == 2014


@pytest.mark.parametrize(
    "sql",
    [
        MANY,
        "SELECT 1",
        "SELECT seq FROM seq_1_to_9 WHERE seq > 9",
        "SELECT NULL, '', NULL UNION ALL SELECT 1, NULL, 2.5",
        "SELECT CAST('2026-01-02' AS DATE), TIME '25:00:01', x'00ff', 1.50, 1e3 FROM seq_1_to_500",
        "SELECT " + ", ".join(f"seq + {n} AS c{n}" for n in range(100)) + " FROM seq_1_to_2000",
        "SELECT IF(seq % 3, NULL, REPEAT('x', 70000)) FROM seq_1_to_30",
        "SHOW DATABASES",
    ],
    ids=range(8),
)
def test_rows_are_those_of_a_whole_result(connect: Connect, transport: str, sql: str) -> None:
    connection = connect(transport)
    cursor = connection.cursor(SSCursor)
    cursor.execute(sql)
    described = cursor.description
    assert list(cursor) == whole(connection, sql)
    with connection.cursor(Cursor) as other:
        other.execute(sql)
        assert other.description == described


def test_rows_larger_than_a_packet_come_whole(connect: Connect, server: Server) -> None:
    with server.variables(max_allowed_packet=64 << 20):
        connection = connect()
    cursor = connection.cursor(SSCursor)
    # One below, at and above the size from which a row takes a second frame, and a third.
    sizes = [(1 << 24) - 6, (1 << 24) - 5, (1 << 24) - 4, 3, (1 << 25) + 5, 0]
    cases = " UNION ALL ".join(f"SELECT REPEAT('x', {size})" for size in sizes)
    cursor.execute(cases)
    assert [len(text) for (text,) in cursor] == sizes
    assert whole(connection, "SELECT 7") == [(7,)]


def test_fetches_of_every_size_give_each_row_once(connect: Connect) -> None:
    connection = connect()
    wanted = whole(connection, MANY)
    cursor = connection.cursor(SSCursor)
    cursor.execute(MANY)
    rows: list[Any] = []
    for size in (1, 7, 0, 500, 3, 2000, 1):
        rows += cursor.fetchmany(size)
        rows.append(cursor.fetchone())
        rows.append(next(cursor))
        assert cursor.rownumber == len(rows)
    cursor.arraysize = 11
    rows += cursor.fetchmany()
    rows += cursor.fetchall()
    assert rows == wanted
    assert (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (None, (), ())


def test_counts_are_unknown_until_the_end(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor(SSCursor)
    assert cursor.execute("SELECT seq / 0 FROM seq_1_to_3") == -1
    assert (cursor.rowcount, cursor.rownumber, cursor.lastrowid) == (-1, 0, 0)
    assert len(cursor.fetchmany(3)) == 3
    assert (cursor.rowcount, cursor.rownumber) == (-1, 3)
    assert cursor.fetchone() is None
    assert (cursor.rowcount, cursor.rownumber, cursor.warning_count) == (3, 3, 3)
    assert (connection.affected_rows(), connection.warning_count()) == (3, 3)
    assert len(connection.show_warnings()) == 3


def test_statements_without_rows_are_done_at_once(connect: Connect, table: Any) -> None:
    connection, name = connect(autocommit=True), table("id INT AUTO_INCREMENT PRIMARY KEY, a INT")
    cursor = connection.cursor(SSCursor)
    assert cursor.execute(f"INSERT INTO {name} (a) VALUES (1), (2)") == 2
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (2, 1, None)
    assert cursor.executemany(f"INSERT INTO {name} (a) VALUES (%s)", [(3,), (4,)]) == 2
    with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
        cursor.fetchone()
    assert whole(connection, f"SELECT COUNT(*) FROM {name}") == [(4,)]


@pytest.mark.parametrize("sql", ["SELECT 1", MANY, "SELECT 1 FROM DUAL WHERE 0"])
def test_nothing_else_is_sent_until_the_rows_are_read(connect: Connect, sql: str) -> None:
    connection = connect()
    cursor = connection.cursor(SSCursor)
    cursor.execute(sql)
    assert_unread(connection)
    rows = list(cursor.fetchmany(1))
    # However few they are, and although they have come long since.
    assert connection.probe()
    if rows:
        assert_unread(connection)
    rows += cursor.fetchall()
    assert rows == whole(connection, sql)


@pytest.mark.parametrize("end", ["close", "with", "gc", "execute", "nextset", "bad parameters"])
def test_rows_left_unread_go_with_their_cursor(connect: Connect, end: str) -> None:
    connection = connect()
    cursor: Any = connection.cursor(SSCursor)
    cursor.execute(MANY)
    assert cursor.fetchone()[0] == 1
    if end == "close":
        cursor.close()
    elif end == "with":
        with cursor:
            pass
    elif end == "execute":
        cursor.execute("SELECT 5")
        assert cursor.fetchall() == ((5,),)
    elif end == "nextset":
        assert not cursor.nextset()
    elif end == "bad parameters":
        with pytest.raises(forksafe.ProgrammingError, match="1 parameters were given"):
            cursor.execute("SELECT 5", (1,))
    else:
        del cursor
        gc.collect()
    assert whole(connection, "SELECT 4") == [(4,)]
    if end in ("nextset", "bad parameters"):
        with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
            cursor.fetchall()


def test_several_answers_stream_one_after_another(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor(SSDictCursor)
    cursor.execute(f"SELECT 1 AS a; {MANY}; SET @x = 5; SELECT 2 AS b; {MANY}")
    assert cursor.fetchall() == ({"a": 1},)
    assert cursor.nextset()
    assert cursor.fetchone()["seq"] == 1
    assert cursor.nextset()
    assert cursor.description is None
    assert cursor.nextset()
    assert cursor.fetchmany(1) == ({"b": 2},)
    assert_unread(connection)
    assert cursor.nextset()
    assert sum(1 for _ in cursor) == 9000
    assert not cursor.nextset()
    assert whole(connection, "SELECT @x") == [(5,)]


def test_a_statement_that_fails_late_gives_its_rows_first(connect: Connect, transport: str) -> None:
    connection = connect(transport)
    cursor = connection.cursor(SSCursor)
    cursor.execute(FAILS_LATE)
    rows = []
    with pytest.raises(forksafe.OperationalError) as caught:
        for row in cursor:
            rows.append(row[0])
    assert caught.value.args[0] == 1242
    assert rows == list(range(1, 5000))
    # It is over with this result, and well with the connection.
    with pytest.raises(forksafe.ProgrammingError, match="execute a query first"):
        cursor.fetchone()
    assert whole(connection, "SELECT 7") == [(7,)]


def test_an_error_is_raised_by_whatever_comes_upon_it(connect: Connect) -> None:
    connection = connect()
    for skip in (Cursor.close, Cursor.nextset, Cursor.fetchall):
        cursor = connection.cursor(SSCursor)
        cursor.execute(f"{FAILS_LATE}; SELECT 2")
        with pytest.raises(forksafe.OperationalError) as caught:
            skip(cursor)
        assert caught.value.args[0] == 1242
        assert whole(connection, "SELECT 7") == [(7,)]


def test_a_killed_query_is_an_error_of_its_own(connect: Connect, server: Server) -> None:
    connection = connect()
    cursor = connection.cursor(SSCursor)
    cursor.execute("SELECT seq, REPEAT('x', 1000) FROM seq_1_to_1000000")
    assert cursor.fetchone()[0] == 1  # type: ignore[index]
    server.execute_as_root(f"KILL QUERY {connection.thread_id()}")
    with pytest.raises(forksafe.OperationalError) as caught:
        for _ in cursor:
            pass
    assert caught.value.args[0] == 1317
    assert whole(connection, "SELECT 7") == [(7,)]


def test_a_row_is_there_before_the_next_one_is_made(
    connect: Connect, witness: watched.Witness
) -> None:
    connection = connect()
    lock = f"row{os.getpid()}"
    witness.ask(f"SELECT GET_LOCK('{lock}', 0)")
    cursor = connection.cursor(SSCursor)
    # Large enough for the server to send it at once.
    cursor.execute(
        f"SELECT seq, IF(seq = 1, 1, GET_LOCK('{lock}', 60)), REPEAT('x', 100000) FROM seq_1_to_3"
    )
    assert cursor.fetchone()[0] == 1  # type: ignore[index]
    witness.release_locks()
    assert [row[:2] for row in cursor] == [(2, 1), (3, 1)]


def test_a_value_that_does_not_convert_is_an_error_each_time(connect: Connect) -> None:
    connection = connect(conv={8: {b"1": 1, b"2": 2}.__getitem__})
    cursor = connection.cursor(SSCursor)
    cursor.execute("SELECT seq FROM seq_1_to_4")
    assert cursor.fetchmany(2) == ((1,), (2,))
    for _ in range(2):
        with pytest.raises(KeyError):
            cursor.fetchone()
    cursor.close()
    connection.ping()


MEMORY = """
import os, resource, sys
import forksafe
from forksafe.cursors import SSCursor

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

connection = forksafe.connect(os.environ["FORKSAFE_TEST_URL"])
megabytes = int(sys.argv[1])
large = f"SELECT seq, REPEAT('x', 1000) FROM seq_1_to_{megabytes * 1000}"
before = peak()
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (room, room))
with connection.cursor(SSCursor) as cursor:
    cursor.execute(large)
    size = sum(len(text) for _, text in cursor)
    cursor.execute(large)
with connection.cursor() as cursor:
    cursor.execute(f"SELECT 1; {large}")
cursor = connection.cursor(SSCursor)
cursor.execute(large)
del cursor
connection.ping()
print(size, peak() - before)
"""


def test_memory_stays_flat_whatever_is_read_or_skipped(
    server: Server, run_python: Any, stream_megabytes: int
) -> None:
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("limits memory to what /proc tells of it, which is not here")
    done = run_python(MEMORY, str(stream_megabytes), timeout=60 + stream_megabytes / 10)
    size, grown = map(int, done.stdout.split())
    print(f"\n{size / 1e6:,.0f} MB read by an SSCursor in {grown} MB of memory more")
    assert size == stream_megabytes * 1_000_000
    assert grown < 24
