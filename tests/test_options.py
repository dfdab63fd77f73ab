"""Each option does what it says; a bad one is named, with what it could have been."""

from __future__ import annotations

import os
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
        ({"charset": "klingon"}, 'charset "klingon" is not supported: use utf8mb4'),
        ({"charset": "gbk"}, "gbk"),
        ({"collation": "x; DROP TABLE y"}, "is not the name of a collation"),
        ({"autocommit": "maybe"}, 'autocommit must be true or false, not "maybe"'),
        ({"local_infile": 2}, "local_infile must be true or false, not 2"),
        ({"use_unicode": False}, "use_unicode must be true"),
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
        ({"conv": 5}, "conv .*maps column types"),
        ({"conv": {"TIME": str}}, "conv .*maps column types"),
        ({"conv": {FIELD_TYPE.TIME: "str"}}, "conv .*maps column types"),
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


FOREIGN = {
    "connection_timeout": "MySQL Connector/Python's connection_timeout is called connect_timeout",
    "conn_attrs": "is called connect_attrs here",
    "allow_local_infile_in_path": "is called local_infile_dir here",
    "ssl_disabled": "there is ssl_mode here: 'DISABLED' for True",
    "ssl_verify_identity": "there is ssl_mode here: 'VERIFY_IDENTITY' for True",
    "ssl_key_password": "a key must not be encrypted",
    "server_public_key": "there is server_public_key_path here",
    "defer_connect": "PyMySQL's defer_connect is no option here: connect() connects",
    "use_pure": "is no option here",
    "raise_on_warnings": "connection.show_warnings() tell",
    "reconnect": "never reconnects behind your back",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_another_drivers_name_is_answered_with_ours(name: str) -> None:
    for opener, arguments, options in (
        (forksafe.connect, (), {name: "x"}),
        (forksafe.Pool, (f"mysql://127.0.0.1:1/?{name}=x",), {}),
    ):
        with pytest.raises(forksafe.ProgrammingError, match=re.escape(FOREIGN[name])):
            opener(*arguments, **options)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (CLIENT.FOUND_ROWS | CLIENT.INTERACTIVE, CLIENT.FOUND_ROWS | CLIENT.INTERACTIVE),
        ("FOUND_ROWS, client.interactive", CLIENT.FOUND_ROWS | CLIENT.INTERACTIVE),
        ("COMPRESS", CLIENT.COMPRESS),
        (str(CLIENT.IGNORE_SPACE), CLIENT.IGNORE_SPACE),
        (CLIENT.ODBC | CLIENT.IGNORE_SIGPIPE | CLIENT.MULTI_RESULTS, CLIENT.MULTI_RESULTS),
    ],
)
def test_flags_are_asked_for_by_number_or_name(
    server: Server, connect: Connect, name: int | str, flag: int
) -> None:
    for connection in (connect(client_flag=name), forksafe.connect(server.url(client_flag=name))):
        assert connection.client_flag & flag == flag


def test_what_mysqldb_takes_without_meaning_is_taken(connect: Connect) -> None:
    connection = connect(
        named_pipe=False,
        binary_prefix=True,
        executemany_fallback="loop",
        charset="",
        connect_timeout=0,
        read_timeout=0,
        write_timeout=0,
        auth_plugin="",
    )
    assert one(connection, "SELECT 1") == 1


def test_a_connection_comes_from_the_address_that_it_is_bound_to(connect: Connect) -> None:
    connection = connect(bind_address="127.0.0.7")
    session = f"id = {connection.thread_id()}"
    host = one(connection, f"SELECT host FROM information_schema.processlist WHERE {session}")
    assert host.startswith("127.0.0.7:")
    with pytest.raises(forksafe.OperationalError, match=r"bind_address 192\.0\.2\.1"):
        connect(bind_address="192.0.2.1")


def test_a_statement_that_is_larger_than_the_packet_that_was_asked_for_is_not_sent(
    connect: Connect,
) -> None:
    for limit in (65536, "64K"):
        connection = connect(max_allowed_packet=limit)
        assert one(connection, f"SELECT LENGTH('{'x' * 60_000}')") == 60_000
        with pytest.raises(forksafe.OperationalError) as caught:
            one(connection, f"SELECT '{'x' * 70_000}'")
        assert caught.value.args[0] == 2020
        assert one(connection, "SELECT 1") == 1


def lenenc(data: bytes) -> tuple[bytes, bytes]:
    """A string with its length before it, and what follows it."""
    size, at = data[0], 1
    if size == 0xFC:
        size, at = int.from_bytes(data[1:3], "little"), 3
    return data[at : at + size], data[at + size :]


@pytest.mark.parametrize("by_url", [False, True])
def test_a_program_tells_the_server_its_name_and_more(by_url: bool) -> None:
    with FakeServer(cached=True) as fake:
        account = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
        if by_url:
            url = f"mysql://app:{PASSWORD}@127.0.0.1:{fake.port}/?program_name=shop"
            opened = forksafe.connect(url + "&connect_attrs=team%3Dred,tier%3D1")
        else:
            attributes = {"team": "red", "tier": "1"}
            opened = forksafe.connect(**account, program_name="shop", connect_attrs=attributes)
        opened.close()
        response = fake.heard[0]
    block = lenenc(response[response.index(b"caching_sha2_password\0") + 22 :])[0]
    words = []
    while block:
        word, block = lenenc(block)
        words.append(word.decode())
    told = dict(zip(words[::2], words[1::2], strict=True))
    assert told.items() >= {"program_name": "shop", "team": "red", "tier": "1"}.items()
    assert told["_client_name"] == "forksafe"
    assert told["_client_version"] == forksafe.__version__
    assert told["_pid"] == str(os.getpid())
    assert told["_os"] == "linux"
