"""A prepared statement means what the session's settings say now, not what they said at first.

The server executes it in the default database, with the sql_mode and the character set of literals
that it was prepared under.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.prepared import ask, counted

Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]

WHERE = "SELECT v, DATABASE() FROM place"


@pytest.fixture
def other(server: Server) -> Iterator[str]:
    """The name of another database; a table `place` in it and in the usual one tell which it is."""
    name = f"{server.database}_other"
    server.execute_as_root(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")
    server.execute_as_root(f"GRANT ALL ON {name}.* TO '{server.user}'@'%'")
    for database in (server.database, name):
        table = (
            f"DROP TABLE IF EXISTS {database}.place; CREATE TABLE {database}.place (v VARCHAR(40))"
        )
        server.execute_as_root(f"{table} AS SELECT '{database}' AS v")
    yield name
    # Not for ever: a test that failed may hold a lock on it.
    server.execute_as_root(
        f"SET lock_wait_timeout = 5; DROP TABLE {server.database}.place; DROP DATABASE {name}"
    )


def run(connection: forksafe.Connection, sql: str) -> None:
    """As text, with all its answers read."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while cursor.nextset():
            pass


Move = Callable[[forksafe.Connection, str], None]

MOVES: list[Move] = [
    lambda connection, other: connection.select_db(other),
    lambda connection, other: run(connection, f"USE {other}"),
    lambda connection, other: run(connection, f"SELECT 1; /* x */ use {other}; SELECT 2"),
    lambda connection, other: run(connection, f"/*!50000 USE {other} */"),
    lambda connection, other: run(connection, f"SELECT 1 /*!999999 ' */; USE {other} -- '"),
]
MOVES_OF_MARIADB: list[Move] = [
    lambda connection, other: run(connection, f"EXECUTE IMMEDIATE CONCAT('U', 'SE {other}')"),
    lambda connection, other: run(
        connection, f"BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'USE {other}'; END"
    ),
    lambda connection, other: run(connection, f"PREPARE s FROM 'USE {other}'; EXECUTE s"),
]


@pytest.mark.parametrize("move", [*MOVES, *MOVES_OF_MARIADB])
def test_a_statement_is_of_the_database_that_is_the_default_now(
    other: str, connect: Connect, server: Server, move: Move
) -> None:
    if move in MOVES_OF_MARIADB and not server.is_mariadb:
        pytest.skip("about what MariaDB takes, and MySQL does not")
    connection = connect()
    home = server.database
    assert ask(connection, WHERE) == ((home, home),)
    ask(connection, "INSERT INTO place VALUES (%s)", ("new",))
    connection.rollback()
    move(connection, other)
    assert ask(connection, WHERE) == ((other, other),)
    ask(connection, "INSERT INTO place VALUES (%s)", ("new",))
    connection.commit()
    assert ask(connection, f"SELECT v FROM {other}.place ORDER BY v") == ((other,), ("new",))
    assert ask(connection, f"SELECT v FROM {home}.place") == ((home,),)


def test_a_procedure_may_change_the_settings(other: str, connect: Connect, mariadb: Server) -> None:
    connection = connect()
    home = mariadb.database
    run(connection, f"CREATE PROCEDURE {home}.stray() EXECUTE IMMEDIATE 'USE {other}'")
    try:
        for call in (run, ask):
            connection.select_db(home)
            assert ask(connection, WHERE) == ((home, home),)
            call(connection, f"CALL {home}.stray()")
            text = connection.cursor()
            text.execute(WHERE)
            assert ask(connection, WHERE) == text.fetchall()
    finally:
        mariadb.execute_as_root(f"DROP PROCEDURE {home}.stray")


def test_each_lease_of_a_pool_is_of_its_own_database(
    other: str, make_pool: MakePool, server: Server
) -> None:
    pool = make_pool(max_size=1)
    for database in (server.database, other, server.database):
        with pool.connection() as connection:
            connection.select_db(database)
            assert ask(connection, WHERE) == ((database, database),)


@pytest.mark.parametrize("send", [run, ask])
@pytest.mark.parametrize(
    ("setting", "asked"),
    [
        ("SET sql_mode = 'PIPES_AS_CONCAT'", "SELECT '1' || '2'"),
        ("SET @a = 1, sql_mode = 'PIPES_AS_CONCAT'", "SELECT '1' || '2'"),
        ("SET SESSION sql_mode = 'ANSI_QUOTES'", 'SELECT "v" FROM place'),
        ("SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SELECT 'a\\nb'"),
        ("SET NAMES latin1", "SELECT HEX(CONVERT('é' USING utf8mb4))"),
        ("SET character_set_client = latin1", "SELECT HEX(CONVERT('é' USING utf8mb4))"),
    ],
)
def test_a_statement_is_read_as_the_settings_say_now(
    other: str,
    connect: Connect,
    setting: str,
    asked: str,
    send: Callable[[forksafe.Connection, str], object],
) -> None:
    connection = connect(sql_mode="")
    before = ask(connection, asked)
    send(connection, setting)
    with connection.cursor() as text:
        text.execute(asked)
        now = text.fetchall()
    assert ask(connection, asked) == now != before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; (SELECT 2) UNION (SELECT 3);",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1)",
        "INSERT INTO place VALUES ('USE x; SET y')",
        "UPDATE place SET v = 'b'",
        "DELETE FROM place",
        "START TRANSACTION; SAVEPOINT a; RELEASE SAVEPOINT a; ROLLBACK",
        "BEGIN; COMMIT; BEGIN WORK; ROLLBACK",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "CREATE TEMPORARY TABLE made (a INT); TRUNCATE TABLE made; DROP TEMPORARY TABLE made",
        "SET @a = 'x', @b := 2",
        "DO 1",
        "LOCK TABLES place WRITE; UNLOCK TABLES",
    ],
)
def test_what_changes_no_setting_costs_no_preparation(
    other: str, connect: Connect, sql: str
) -> None:
    connection = connect(autocommit=True)
    ask(connection, "SELECT %s", (1,))
    run(connection, sql)
    assert ask(connection, "SELECT %s", (2,)) == ((2,),)
    assert (counted(connection, "prepare"), counted(connection, "close")) == (1, 0)


def test_a_function_or_trigger_leaves_the_settings_as_they_are(
    other: str, connect: Connect, server: Server
) -> None:
    connection = connect(sql_mode="", autocommit=True)
    home = server.database
    body = "SET sql_mode = 'PIPES_AS_CONCAT', NAMES latin1, @@collation_connection = latin1_bin;"
    run(connection, f"CREATE FUNCTION strays() RETURNS INT BEGIN {body} RETURN 1; END")
    trigger = "CREATE TRIGGER stray BEFORE INSERT ON place FOR EACH ROW"
    run(connection, f"{trigger} BEGIN {body} END")
    try:
        shown = "SELECT @@sql_mode, @@character_set_client, @@collation_connection, DATABASE()"
        before = ask(connection, shown)
        run(connection, "SELECT strays(); DO strays(); INSERT INTO place VALUES ('x')")
        with connection.cursor() as text:
            text.execute(shown)
            assert text.fetchall() == before
    finally:
        server.execute_as_root(f"DROP FUNCTION {home}.strays; DROP TRIGGER {home}.stray")


def test_what_is_forgotten_is_closed(connect: Connect, transport: str) -> None:
    connection = connect(transport)
    for number in range(3):
        ask(connection, f"SELECT {number}, %s", (1,))
    run(connection, "SET sql_mode = ''")
    assert (counted(connection, "prepare"), counted(connection, "close")) == (3, 3)
    for _ in range(2):
        ask(connection, "SET sql_mode = ''")
    assert (counted(connection, "prepare"), counted(connection, "close")) == (5, 5)
