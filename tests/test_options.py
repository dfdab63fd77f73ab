"""Each option does what it says; a bad one is named, with what it could have been."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT, FIELD_TYPE
from scripts.mariadb_server import Server
from tests.fake_server import PASSWORD, FakeServer

Connect = Callable[..., forksafe.Connection]
NOWHERE = {"host": "127.0.0.1", "port": 1}


def one(connection: forksafe.Connection, sql: str) -> Any:
    """The first value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql)
    row = cursor.fetchone()
    assert row is not None
    return row[0]


def test_a_url_and_keywords_open_the_same_connection(server: Server) -> None:
    with (
        forksafe.connect(server.url()) as by_url,
        forksafe.connect(**server.connect_kwargs()) as by_keywords,
        forksafe.connect(server.url(scheme="mariadb", database=None), db=server.database) as both,
    ):
        sql = "SELECT CONCAT_WS(' ', USER(), DATABASE(), @@autocommit + 0)"
        answers = {one(each, sql) for each in (by_url, by_keywords, both)}
    assert len(answers) == 1
    assert answers.pop().startswith(f"{server.user}@")


def test_a_name_with_several_addresses_is_tried_through() -> None:
    with FakeServer(cached=True, host="::1") as fake:
        options = {"host": "localhost", "port": fake.port, "user": "app", "password": PASSWORD}
        with forksafe.connect(**options) as connection:
            connection.ping()
    with pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(**options)
    assert caught.value.args[0] == 2003
    assert "127.0.0.1: " in caught.value.args[1]
    assert "::1: " in caught.value.args[1]


@pytest.mark.parametrize(("option", "expected"), [(True, 1), (False, 0), (None, 1)])
def test_autocommit_is_as_asked_and_none_leaves_the_servers(
    server: Server, option: bool | None, expected: int
) -> None:
    connection = forksafe.connect(**server.connect_kwargs(), autocommit=option)
    assert one(connection, "SELECT @@autocommit") == expected
    assert connection.get_autocommit() == bool(expected)
    connection.autocommit(not expected)
    assert one(connection, "SELECT @@autocommit") == int(not expected)


def test_autocommit_is_off_by_default(connect: Connect) -> None:
    connection = connect()
    assert connection.get_autocommit() is False
    assert one(connection, "SELECT @@autocommit") == 0


def test_init_command_is_read_in_the_connections_character_set(connect: Connect) -> None:
    for charset in ("utf8mb4", "latin1", "cp1251"):
        text = "ж" if charset == "cp1251" else "ü"
        cursor = connect(charset=charset, init_command=f"SET @said = '{text}'").cursor()
        cursor.execute("SELECT @said, CHAR_LENGTH(@said)")
        assert cursor.fetchall() == ((text, 1),)
    for charset in ("latin1", "ascii"):
        with pytest.raises(forksafe.ProgrammingError, match="init_command: write it in ASCII"):
            connect(charset=charset, init_command="SET @said = 'ж'")


def test_init_command_sql_mode_and_collation_are_set(connect: Connect) -> None:
    connection = connect(
        init_command="SET @a = 1; SELECT 2; SET @b = 'it''s'",
        sql_mode="ANSI_QUOTES,STRICT_ALL_TABLES",
        collation="utf8mb4_bin",
    )
    assert one(connection, "SELECT CONCAT(@a, @b)") == "1it's"
    assert one(connection, "SELECT @@sql_mode") == "ANSI_QUOTES,STRICT_ALL_TABLES"
    assert one(connection, "SELECT @@collation_connection") == "utf8mb4_bin"


@pytest.mark.parametrize(("flag", "rows"), [(0, 0), (CLIENT.FOUND_ROWS, 1)])
def test_found_rows_counts_rows_that_did_not_change(connect: Connect, flag: int, rows: int) -> None:
    cursor = connect(client_flag=flag).cursor()
    cursor.execute("CREATE TEMPORARY TABLE t AS SELECT 1 AS id")
    assert cursor.execute("UPDATE t SET id = 1") == rows
    assert cursor.rowcount == rows


@pytest.mark.parametrize("name", ["password", "passwd"])
@pytest.mark.parametrize("database", ["database", "db"])
def test_the_names_of_mysqldb_and_their_short_forms_are_the_same(
    server: Server, name: str, database: str
) -> None:
    options = server.connect_kwargs(password=None, database=None)
    options |= {name: server.password, database: "information_schema"}
    with forksafe.connect(**options) as connection:
        assert one(connection, "SELECT DATABASE()") == "information_schema"


def test_a_keyword_wins_over_the_url(server: Server) -> None:
    with forksafe.connect(server.url(autocommit=True), autocommit=False) as connection:
        assert connection.get_autocommit() is False


def test_a_path_may_be_a_path(server: Server) -> None:
    if "socket" not in server.transports:
        pytest.skip("the server offers no socket")
    options = server.connect_kwargs("socket")
    with forksafe.connect(**options | {"unix_socket": Path(options["unix_socket"])}) as connection:
        connection.ping()


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("hots", "host"),
        ("pasword", "password"),
        ("read_timout", "read_timeout"),
        ("sslmode", "ssl_mode"),
        ("conf", "conv"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_known(given: str, near: str) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        forksafe.connect(**NOWHERE, **{given: "x"})
    number, text = caught.value.args
    assert number == 2000
    assert f'unknown option "{given}"' in text
    assert f'did you mean "{near}"' in text


def test_an_option_that_resembles_none_is_named_alone() -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        forksafe.connect(**NOWHERE, frobnicate=1)
    assert caught.value.args[1] == 'unknown option "frobnicate"'


def test_the_options_of_a_pool_are_known_to_a_pool_alone() -> None:
    with pytest.raises(forksafe.ProgrammingError, match=r"max_size .* forksafe\.Pool"):
        forksafe.connect(**NOWHERE, max_size=3)
    with pytest.raises(forksafe.ProgrammingError, match='"max_sise"; did you mean "max_size"'):
        forksafe.Pool(**NOWHERE, max_sise=3)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"port": "http"}, 'port must be .* 1 to 65535, not "http"'),
        ({"port": -1}, "port must be .* 1 to 65535, not -1"),
        ({"port": 65536}, "port must be .* 65536"),
        ({"port": 2**70}, "port"),
        ({"host": 5}, "host must be text, not 5"),
        ({"user": ["x"]}, "user must be text.* not a list"),
        ({"password": 5}, "password must be text"),
        ({"database": 5}, "database must be text"),
        ({"connect_timeout": -1}, "connect_timeout must be .* seconds above 0, not -1"),
        ({"connect_timeout": "soon"}, 'connect_timeout must be .* seconds above 0, not "soon"'),
        ({"read_timeout": float("nan")}, "read_timeout must be .* seconds above 0, not NaN"),
        ({"write_timeout": True}, "write_timeout must be .* seconds above 0, not true"),
        ({"charset": "klingon"}, 'charset "klingon" is not supported. Use utf8mb4'),
        ({"charset": "gbk"}, "gbk"),
        ({"collation": "x; DROP TABLE y"}, "is not the name of a collation"),
        ({"autocommit": "maybe"}, 'autocommit must be true or false, not "maybe"'),
        ({"local_infile": 2}, "local_infile must be true or false, not 2"),
        ({"use_unicode": "maybe"}, "use_unicode must be true or false"),
        ({"init_command": 5}, "init_command must be text"),
        ({"client_flag": "all"}, "client_flag must be a sum of constants.CLIENT"),
        ({"client_flag": CLIENT.DEPRECATE_EOF}, "client_flag 16777216 .* FOUND_ROWS"),
        ({"client_flag": CLIENT.SSL}, "SSL is asked for by ssl_mode or ssl_ca"),
        ({"client_flag": "FOUND_ROW"}, "client_flag must be a sum of .* or their names"),
        ({"ssl_mode": "maybe"}, "ssl_mode must be DISABLED, PREFERRED, REQUIRED, VERIFY_CA or"),
        ({"ssl": {"cafile": "x"}}, 'ssl has no "cafile"; it takes ca, capath, cert, key'),
        ({"ssl": {"password": "x"}}, "an encrypted key is not supported: .* .openssl pkey"),
        ({"ssl": ssl.create_default_context()}, "ssl cannot be an ssl.SSLContext.* give ssl_ca"),
        ({"ssl": {"cipher": "DHE-RSA-AES256-SHA"}}, "ssl_cipher must be .* TLS_AES_256_GCM"),
        ({"ssl_cipher": "TLS_AES_256_GCM_SHA384:!RC4"}, "ssl_cipher must be names"),
        ({"ssl": {"verify_mode": "maybe"}}, "ssl_verify_mode must be true or false"),
        ({"ssl_mode": "VERIFY_CA", "ssl_verify_mode": "none"}, "leave one of them out"),
        ({"tls_version": "SSLv3"}, "tls_version must be TLSv1.2, TLSv1.3, or both"),
        ({"named_pipe": True}, "named_pipe is of Windows"),
        ({"bind_address": "db1"}, "bind_address must be an IP address of this machine"),
        ({"max_allowed_packet": "16Q"}, "max_allowed_packet must be a number of bytes"),
        ({"max_allowed_packet": -1}, "max_allowed_packet must be a number of bytes"),
        ({"local_infile_dir": "/not/there"}, "local_infile_dir '/not/there' cannot be used: No"),
        ({"local_infile_dir": __file__}, "cannot be used: it is not a directory"),
        ({"auth_plugin": "dialog"}, "auth_plugin must be mysql_native_password, .*clear_password"),
        ({"executemany_fallback": "multi"}, "executemany_fallback must be 'loop'"),
        ({"connect_attrs": {"_pid": "1"}}, 'cannot have "_pid": names that begin with _'),
        ({"connect_attrs": {"team": 5}}, "connect_attrs must be a dict of text"),
        ({"connect_attrs": "team"}, "connect_attrs must be a dict of text"),
        ({"connect_attrs": {"a": "x" * 70_000}}, "63 KiB together"),
        ({"ssl_cert": "x.pem"}, "ssl_cert and ssl_key belong together"),
        ({"conv": 5}, "conv is a dict; see forksafe.converters"),
        ({"conv": {"TIME": str}}, "conv is a dict .* column types"),
        ({"conv": {FIELD_TYPE.TIME: "str"}}, "conv is a dict .* column types"),
        ({"user": "a\0b"}, "cannot contain a NUL"),
    ],
)
@pytest.mark.parametrize("opener", [forksafe.connect, forksafe.Pool])
def test_a_bad_value_is_named_with_what_is_wanted(
    opener: Callable[..., Any], options: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        opener(**NOWHERE | options)
    number, text = caught.value.args
    assert number == 2000
    assert re.search(wanted, text)


def test_numbers_and_switches_are_read_from_a_url(server: Server) -> None:
    url = server.url(max_size=3, timeout=2.5, pre_ping="off", name="by url", autocommit="yes")
    with forksafe.Pool(url) as pool:
        assert (pool.name, pool.stats()["pool_max"]) == ("by url", 3)
        with pool.connection() as connection:
            assert connection.get_autocommit() is True
