"""What MySQLdb, PyMySQL and MySQL Connector/Python take as arguments of connect."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT
from scripts.mariadb_server import Server
from tests.fake_server import PASSWORD, FakeServer

Connect = Callable[..., forksafe.Connection]


def one(connection: forksafe.Connection, sql: str) -> Any:
    """The first value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql)
    row = cursor.fetchone()
    assert row is not None
    return row[0]


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
