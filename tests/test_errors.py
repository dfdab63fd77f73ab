"""An error has the right class and number, says what to do, and never tells a password."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

import forksafe
from scripts.mariadb_server import Server

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]
SECRET = "hush-" + "hush"
E = forksafe


@pytest.mark.parametrize(
    ("sql", "kind", "number"),
    [
        ("SELEKT 1", E.ProgrammingError, 1064),
        ("SELECT * FROM nowhere", E.ProgrammingError, 1146),
        ("INSERT INTO {t} (id, id) VALUES (1, 1)", E.ProgrammingError, 1110),
        ("SELECT SUM(id) FROM {t} WHERE SUM(id)", E.ProgrammingError, 1111),
        ("CREATE DATABASE {d}", E.ProgrammingError, 1007),
        ("CREATE TABLE `x ` (id INT)", E.ProgrammingError, 1103),
        ("INSERT INTO {t} VALUES (1, 'b', 1)", E.IntegrityError, 1062),
        ("INSERT INTO {t} VALUES (3, NULL, 1)", E.IntegrityError, 1048),
        ("INSERT INTO {t} VALUES (3, 'c', 9)", E.IntegrityError, 1452),
        ("DELETE FROM {t}", E.IntegrityError, 1451),
        ("INSERT INTO {t} VALUES (3, 'long', 1)", E.DataError, 1406),
        ("INSERT INTO {t} VALUES (3000000000, 'c', 1)", E.DataError, 1264),
        ("CREATE TEMPORARY TABLE x (id INT) ENGINE=none", E.NotSupportedError, 1286),
        ("INSERT INTO {t} VALUES (100, 'c', 1)", E.OperationalError, {4025, 3819}),
        ("SELECT nothing FROM {t}", E.OperationalError, 1054),
        ("INSERT INTO {t} (id) VALUES (3)", E.IntegrityError, 1364),
        ("USE nowhere", E.OperationalError, 1049),
    ],
)
def test_a_servers_error_has_the_class_of_mysqldb_and_the_session_goes_on(
    connect: Connect, server: Server, table: Table, sql: str, kind: type, number: int | set[int]
) -> None:
    name = table("id INT PRIMARY KEY, v VARCHAR(3) NOT NULL, p INT, CHECK (id < 100)")
    connection = connect(autocommit=True, sql_mode="STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION")
    cursor = connection.cursor()
    cursor.execute(f"ALTER TABLE {name} ADD FOREIGN KEY (p) REFERENCES {name} (id)")
    cursor.execute(f"INSERT INTO {name} VALUES (1, 'a', NULL), (2, 'b', 1)")
    with pytest.raises(forksafe.Error) as caught:
        cursor.execute(sql.format(t=name, d=server.database))
    assert type(caught.value) is kind
    assert caught.value.args[0] in (number if isinstance(number, set) else {number})
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)


def test_a_row_that_another_locks_is_an_operational_error(connect: Connect, table: Table) -> None:
    name, one, other = table("id INT PRIMARY KEY"), connect(), connect()
    one.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    with pytest.raises(forksafe.OperationalError) as caught:
        other.cursor().execute(f"SELECT * FROM {name} FOR UPDATE NOWAIT")
    assert caught.value.args[0] in (1205, 3572)
    one.rollback()
    assert other.cursor().execute(f"SELECT * FROM {name} FOR UPDATE NOWAIT") == 0
    other.rollback()


def test_a_raised_error_can_be_pickled_and_copied(connect: Connect) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        connect().cursor().execute("SELEKT 'ü'")
    for same in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(same) is forksafe.ProgrammingError
        assert same.args == caught.value.args
        assert str(same) == f"({same.args[0]}, {same.args[1]!r})"


@pytest.mark.parametrize(
    ("options", "number", "wanted"),
    [
        ({"password": SECRET}, 1045, "Access denied for user 'app'"),
        ({"user": "nobody-here", "password": SECRET}, 1045, "nobody-here"),
        ({"database": "nowhere"}, 1049, "Unknown database 'nowhere'"),
        ({"port": 1}, 2003, "Can't connect to MySQL server on '127.0.0.1:1'.*refused"),
        ({"host": "no.such.host.invalid"}, 2005, "Unknown MySQL server host 'no.such.host.inv"),
        ({"unix_socket": "/no/such/sock"}, 2002, "through socket '/no/such/sock'.*No such file"),
        ({"unix_socket": "/" + "x" * 200}, 2002, "through socket"),
        ({"init_command": "SELEKT"}, 1064, "SELEKT"),
        ({"collation": "nothing_ci"}, 1273, "nothing_ci"),
        ({"sql_mode": "NOTHING"}, 1231, "NOTHING"),
    ],
)
@pytest.mark.parametrize("pooled", [False, True])
def test_a_connect_that_fails_says_why(
    server: Server, options: dict[str, Any], number: int, wanted: str, pooled: bool
) -> None:
    options = server.connect_kwargs() | options
    with pytest.raises(forksafe.Error, match=wanted) as caught:
        if pooled:
            forksafe.Pool(**options, timeout=5).connect()
        else:
            forksafe.connect(**options)
    kind = forksafe.ProgrammingError if number == 1064 else forksafe.OperationalError
    assert (type(caught.value), caught.value.args[0]) == (kind, number)
    assert says_nothing_of(options["password"], caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:{}@host:port/db",
        "mysql://u:{}@host:99999/db",
        "mysql://u:{}@host/a/b",
        "mysql://u:{}@/db",
        "mysql://u:{}%ff@host/db",
        "mysql://u:{}@host/db%ff",
        "mysql:u:{}@host",
        "http://u:{}@host/db",
        "u:{}@host/db",
        "mysql://u:12?{}@host/db",
        "mysql://u:12/{}@127.0.0.1:1/db",
        "mysql://u:a#{}@127.0.0.1:1/db",
        "mysql://u:{}@host/db?port=http",
        "mysql://u:x@host/db?pasword={}",
        "mysql://u:x@host/db?read_timeout=5&ssl_mode=maybe&password={}",
    ],
)
@pytest.mark.parametrize("opener", [forksafe.connect, forksafe.Pool])
def test_a_broken_url_is_not_repeated(opener: Callable[..., Any], url: str) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        opener(url.format(SECRET))
    assert caught.value.args[0] == 2000
    assert says_nothing_of(SECRET, caught.value)


@pytest.mark.parametrize("password", [SECRET.encode(), [SECRET], {"a": SECRET}, 271828])
def test_a_password_of_another_type_is_refused_and_not_repeated(password: Any) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="password must be text") as caught:
        forksafe.connect(host="127.0.0.1", port=1, password=password)
    assert says_nothing_of("hush", caught.value)
    assert says_nothing_of("271828", caught.value)


def test_no_repr_tells_the_password(server: Server) -> None:
    pool = forksafe.Pool(server.url())
    with pool, pool.connection() as connection:
        for thing in (pool, connection, connection.cursor(), pool.stats()):
            assert server.password not in repr(thing)
            assert quote(server.password) not in str(thing)
    assert server.password not in repr(connection)


def test_a_pool_that_cannot_connect_tells_the_error_without_the_password(server: Server) -> None:
    with forksafe.Pool(server.url(password=SECRET), max_size=1, timeout=5) as pool:
        with pytest.raises(forksafe.OperationalError) as caught:
            pool.connect()
        assert says_nothing_of(SECRET, caught.value)
        stats = pool.stats()
        assert "Access denied" in (stats["last_connect_error"] or "")
        assert SECRET not in repr(stats)
        assert (stats["connections_errors"], stats["pool_size"]) == (1, 0)


def test_the_exceptions_of_pep_249_are_found_on_a_connection(connect: Connect) -> None:
    connection = connect()
    for name in ("Error", "Warning", "InterfaceError", "IntegrityError", "NotSupportedError"):
        assert getattr(connection, name) is getattr(forksafe, name)


def test_a_closed_connection_says_so(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    connection.close()
    connection.close()
    for use in (
        connection.cursor,
        connection.commit,
        connection.rollback,
        connection.ping,
        connection.begin,
        connection.fileno,
        lambda: cursor.execute("SELECT 1"),
        lambda: connection.autocommit(True),
    ):
        with pytest.raises(forksafe.InterfaceError, match="connection is closed") as caught:
            use()
        assert caught.value.args[0] == 2006
    assert connection.probe() is False
    assert connection.inherited is False
    assert "closed" in repr(connection)
    cursor.close()


def test_a_closed_pool_says_so(server: Server) -> None:
    pool = forksafe.Pool(server.url(), name="done")
    pool.close()
    pool.close()
    assert pool.closed
    for use in (pool.connect, lambda: pool.connection().__enter__()):
        with pytest.raises(forksafe.PoolClosed, match="pool 'done' .*the pool is closed"):
            use()
    assert repr(pool).endswith(" closed>")


def test_what_belongs_to_one_process_is_not_pickled(connect: Connect, server: Server) -> None:
    connection = connect()
    with forksafe.Pool(server.url()) as pool:
        for thing, advice in ((connection, "open one"), (pool, "make one")):
            for spread in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match=f"cannot pickle .*{advice} in the process"):
                    spread(thing)
    with pytest.raises(TypeError):
        pickle.dumps(connection.cursor())


def says_nothing_of(secret: str, error: BaseException) -> bool:
    """Whether nothing that is printed of an error has `secret` in it."""
    told = [str(error), repr(error), repr(error.args), *traceback.format_exception(error)]
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
        told += [str(error), repr(error)]
    return all(secret not in text for text in told)
