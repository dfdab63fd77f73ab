"""Many rows go in few statements, and large packets are cut and joined."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]
MB = 1024 * 1024
FRAME = 2**24 - 1  # the longest payload that fits one frame


@pytest.fixture
def cursor(connect: Connect) -> forksafe.Cursor:
    """A cursor on a connection that commits by itself."""
    return connect(autocommit=True).cursor()


@pytest.fixture
def wide(server: Server, connect: Connect) -> Iterator[forksafe.Connection]:
    """A connection to the server while it takes packets of up to 64 MB."""
    with server.variables(max_allowed_packet=64 * MB):
        yield connect(autocommit=True)


def statements(cursor: forksafe.Cursor, name: str = "Com_insert") -> int:
    """How many statements of one kind this session has run."""
    cursor.execute("SHOW SESSION STATUS LIKE %s", (name,))
    ((_, count),) = cursor.fetchall()
    return int(count)


def rows(cursor: forksafe.Cursor, table: str) -> tuple[Any, ...]:
    cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
    return cursor.fetchall()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {} (id, v) VALUES (%s, %s)",
        "insert ignore into {}\n(id, v)\nvalues\n( %s , CONCAT('', %s) )\n",
        "/* VALUES (1) */ INSERT INTO {} VALUES (%s, %s) -- the end",
        "REPLACE INTO {} VALUES (%s, %s)",
    ],
)
def test_rows_of_an_insert_go_in_one_statement(
    cursor: forksafe.Cursor, table: Table, sql: str
) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    kind = "Com_replace" if sql.startswith("REPLACE") else "Com_insert"
    values = [(number, f"%s ({number}), '") for number in range(1000)]
    assert cursor.executemany(sql.format(name), values) == 1000
    assert cursor.rowcount == 1000
    assert statements(cursor, kind) == 1
    assert rows(cursor, name) == tuple(values)


def test_rows_by_name_and_from_a_generator_go_in_one_statement(
    cursor: forksafe.Cursor, table: Table
) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(20)")
    sql = f"INSERT INTO {name} (id, v) VALUES (%(id)s, '100%%') "
    assert cursor.executemany(sql, ({"id": number} for number in range(5))) == 5
    assert statements(cursor) == 1
    assert rows(cursor, name) == tuple((number, "100%") for number in range(5))


def test_on_duplicate_key_applies_to_each_row(cursor: forksafe.Cursor, table: Table) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    cursor.execute(f"INSERT INTO {name} VALUES (1, 1), (2, 2)")
    sql = f"INSERT INTO {name} VALUES (%s, %s) ON DUPLICATE KEY UPDATE v = v + VALUES(v)"
    # MySQL counts a row that was changed twice.
    assert cursor.executemany(sql, [(1, 10), (2, 20), (3, 30)]) == 5
    assert statements(cursor) == 2
    assert rows(cursor, name) == ((1, 11), (2, 22), (3, 30))


@pytest.mark.parametrize(
    ("sql", "values", "back"),
    [
        ("INSERT INTO {} VALUES (%s, 0) RETURNING id", [(1,), (2,)], ((1, 0), (2, 0))),
        ("INSERT INTO {} SELECT %s, %s", [(1, 2), (3, 4)], ((1, 2), (3, 4))),
        ("INSERT INTO {} SET id = %s", [(1,), (2,)], ((1, None), (2, None))),
        ("INSERT INTO {} VALUES (%s, 1), (%s, 2)", [(1, 2), (3, 4)], None),
        (
            "INSERT INTO {} VALUES (%s, 0) ON DUPLICATE KEY UPDATE v = %s",
            [(1, 2), (1, 3)],
            ((1, 3),),
        ),
    ],
)
def test_what_cannot_be_said_once_is_said_for_each_row(
    request: pytest.FixtureRequest,
    cursor: forksafe.Cursor,
    table: Table,
    sql: str,
    values: list[Any],
    back: Any,
) -> None:
    if "RETURNING" in sql:
        request.getfixturevalue("mariadb")
    name = table("id INT PRIMARY KEY, v INT")
    cursor.executemany(sql.format(name), values)
    insert = "Com_insert_select" if "SELECT" in sql else "Com_insert"
    assert statements(cursor, insert) == 2
    assert rows(cursor, name) == (back or ((1, 1), (2, 2), (3, 1), (4, 2)))


def test_other_statements_run_for_each_row_and_add_up(
    cursor: forksafe.Cursor, table: Table
) -> None:
    name = table("id INT PRIMARY KEY, v INT")
    cursor.executemany(f"INSERT INTO {name} VALUES (%s, 0)", [(n,) for n in range(4)])
    assert cursor.executemany(f"UPDATE {name} SET v = %s WHERE id < %s", [(1, 3), (2, 2)]) == 5
    assert cursor.rowcount == 5
    assert cursor.executemany("SELECT %s", [(1,), (2,)]) == 2
    assert cursor.fetchall() == ((2,),)


def test_no_rows_are_no_statement(cursor: forksafe.Cursor) -> None:
    assert cursor.executemany("INSERT INTO nowhere VALUES (%s)", []) is None
    assert cursor.executemany("UPDATE nowhere SET a = %s", []) is None
    assert cursor.rowcount == -1


def test_a_row_that_does_not_fit_the_statement_is_refused(
    cursor: forksafe.Cursor, table: Table
) -> None:
    name = table("id INT PRIMARY KEY")
    with pytest.raises(forksafe.ProgrammingError, match="more `%s` than the 0 parameters"):
        cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), ()])
    assert rows(cursor, name) == ()


def test_a_duplicate_among_many_rows_is_an_integrity_error(
    cursor: forksafe.Cursor, table: Table
) -> None:
    name = table("id INT PRIMARY KEY")
    with pytest.raises(forksafe.IntegrityError):
        cursor.executemany(f"INSERT INTO {name} VALUES (%s)", [(1,), (1,)])
    assert rows(cursor, name) == ()


def test_a_batch_larger_than_a_packet_is_split(
    connect: Connect, server: Server, table: Table
) -> None:
    name = table("id INT PRIMARY KEY, v LONGTEXT")
    with server.variables(max_allowed_packet=64 * 1024):
        cursor = connect(autocommit=True).cursor()
    values = [(number, "x" * (number * 20)) for number in range(500)]
    assert cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", values) == 500
    assert cursor.rowcount == 500
    size = sum(len(text) for _, text in values)
    assert size // (64 * 1024) <= statements(cursor) <= size // (64 * 1024) + 3
    assert rows(cursor, name) == tuple(values)


def test_a_batch_may_fill_a_packet_to_the_last_byte(
    connect: Connect, server: Server, table: Table
) -> None:
    name = table("v LONGTEXT")
    with server.variables(max_allowed_packet=4096):
        cursor = connect(autocommit=True).cursor()
    sql = f"INSERT INTO {name} VALUES (%s)"
    for length in range(4000, 4100):
        # Two rows, which together come to `length` bytes as one statement.
        left = length - len(sql) - len("'',('')") + len("%s")
        cursor.executemany(sql, [("a" * (left // 2),), ("b" * (left - left // 2),)])
    cursor.execute(f"SELECT COUNT(*) FROM {name}")
    assert cursor.fetchone() == (200,)


@pytest.mark.parametrize("size", [FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 20 * MB])
def test_a_statement_and_a_row_longer_than_a_frame_are_whole(
    wide: forksafe.Connection, size: int
) -> None:
    cursor = wide.cursor()
    # The payload: of the command, one byte and the statement; of the row, its value behind its
    # length, which takes four bytes up to a frame and nine beyond.
    text = "x" * (size - 1 - len("SELECT MD5('')"))
    cursor.execute(f"SELECT MD5('{text}')")
    assert cursor.fetchone() == (hashlib.md5(text.encode()).hexdigest(),)
    length = size - (4 if size <= FRAME else 9)
    cursor.execute(f"SELECT CONCAT(REPEAT('0123456', {length // 7}), REPEAT('z', {length % 7}))")
    ((value,),) = cursor.fetchall()
    assert value == "0123456" * (length // 7) + "z" * (length % 7)
    cursor.execute("SELECT 'next'")
    assert cursor.fetchall() == (("next",),)


def test_twenty_megabytes_of_bytes_travel_both_ways(
    wide: forksafe.Connection, table: Table
) -> None:
    cursor, name = wide.cursor(), table("id INT PRIMARY KEY, v LONGBLOB")
    value = bytes(range(256)) * (20 * 4096)
    cursor.execute(f"INSERT INTO {name} VALUES (1, %s), (2, 'b')", (value,))
    cursor.execute(f"SELECT MD5(v) FROM {name} WHERE id = 1")
    assert cursor.fetchone() == (hashlib.md5(value).hexdigest(),)
    assert rows(cursor, name) == ((1, value), (2, b"b"))


def test_a_statement_longer_than_the_server_takes_is_refused_here(
    connect: Connect, server: Server
) -> None:
    with server.variables(max_allowed_packet=MB):
        connection = connect()
    cursor, session = connection.cursor(), connection.thread_id()
    with pytest.raises(forksafe.OperationalError, match="max_allowed_packet") as caught:
        cursor.execute("SELECT LENGTH(%s)", ("x" * MB,))
    assert caught.value.args[0] == 2020
    cursor.execute("SELECT CONNECTION_ID()")
    assert cursor.fetchone() == (session,)


@pytest.mark.parametrize("transport", ["tcp", "compress"])
@pytest.mark.parametrize("limit", [4096, MB])
def test_a_statement_at_the_servers_limit_never_costs_the_session(
    connect: Connect, server: Server, transport: str, limit: int
) -> None:
    with server.variables(max_allowed_packet=limit):
        connection = connect(transport)
    cursor, answered, refused = connection.cursor(), [], []
    for length in range(limit - 12, limit + 4):
        sql = "SELECT '" + "x" * (length - len("SELECT ''")) + "'"
        try:
            cursor.execute(sql)
            answered.append(length)
        except forksafe.OperationalError as error:
            refused.append((length, error.args[0]))
    assert {number for _, number in refused} == {2020}
    assert len(answered) >= 5
    assert max(answered) < min(length for length, _ in refused)
