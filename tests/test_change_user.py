"""`change_user()`: a log-in of somebody else on an open session, which is like new then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.cursors import SSCursor
from scripts.mariadb_server import Server
from tests import watched
from tests.credentials import Account, one
from tests.signals import cut_off, until, until_running

witness = watched.witness
pytest_plugins = ("tests.credential_fixtures",)

Connect = Callable[..., forksafe.Connection]
ED25519 = "IDENTIFIED VIA ed25519 USING PASSWORD('signed')"


def user_of(connection: forksafe.Connection) -> str:
    name: str = one(connection, "SELECT CURRENT_USER()")
    return name.partition("@")[0]


def test_another_user_takes_over_the_session(
    connect: Connect, server: Server, account: Account, transport: str
) -> None:
    connection = connect(transport)
    number = connection.thread_id()
    for _ in range(2):
        connection.change_user(account.user, account.password, server.database)
        assert user_of(connection) == account.user
        connection.change_user(server.user, server.password)
        assert user_of(connection) == server.user
        assert one(connection, "SELECT DATABASE()") is None
    assert one(connection, "SELECT CONNECTION_ID()") == number


def test_the_session_is_set_up_as_at_connect(connect: Connect, account: Account) -> None:
    connection = connect(
        charset="latin1", autocommit=True, sql_mode="ANSI_QUOTES", init_command="SET @said = 'ü'"
    )
    cursor = connection.cursor()
    cursor.execute("SET @mine = 1, sql_mode = '', NAMES utf8mb4")
    cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
    connection.begin()
    connection.change_user(account.user, account.password, connection.database)
    cursor.execute("SELECT @said, @mine, @@autocommit, @@sql_mode, @@character_set_client")
    assert cursor.fetchall() == (("ü", None, 1, "ANSI_QUOTES", "latin1"),)
    with pytest.raises(forksafe.ProgrammingError, match="1146"):
        cursor.execute("SELECT * FROM t")


def test_what_was_prepared_is_prepared_anew(connect: Connect, account: Account) -> None:
    connection = connect()
    cursor = connection.cursor(prepared=True)
    for number in (1, 2):
        cursor.execute("SELECT %s + 1", (number,))
        assert cursor.fetchall() == ((number + 1,),)
        connection.change_user(account.user, account.password)
    cursor.execute("SELECT %s + 1", (3,))
    assert cursor.fetchall() == ((4,),)


def test_rows_left_unread_are_no_obstacle(connect: Connect, account: Account) -> None:
    connection = connect()
    connection.cursor(SSCursor).execute("SELECT seq FROM seq_1_to_9000")
    connection.change_user(account.user, account.password)
    assert user_of(connection) == account.user


def test_who_is_refused_ends_the_session(connect: Connect, account: Account) -> None:
    connection = connect()
    with pytest.raises(forksafe.OperationalError) as caught:
        connection.change_user(account.user, "not-it")
    assert caught.value.args[0] == 1045
    assert "not-it" not in str(caught.value)
    with pytest.raises(forksafe.OperationalError, match="change_user: Access denied") as after:
        connection.ping()
    assert after.value.args[0] == 2006


def test_a_database_that_is_not_there_ends_it_too(connect: Connect, account: Account) -> None:
    connection = connect()
    # Whether it is there is nothing that this account may know.
    with pytest.raises(forksafe.OperationalError, match="1044"):
        connection.change_user(account.user, account.password, "nowhere_at_all")
    with pytest.raises(forksafe.OperationalError, match="2006"):
        connection.ping()


def test_a_name_with_a_nul_is_refused_before_it_is_sent(connect: Connect) -> None:
    connection = connect()
    with pytest.raises(forksafe.ProgrammingError, match="NUL"):
        connection.change_user("root\0", "x")
    connection.ping()


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("reset", ["none", "rollback", "session", lambda connection: None])
def test_a_pool_lends_it_to_nobody(
    make_pool: Any, server: Server, account: Account, reset: Any, forgets: bool
) -> None:
    pool = make_pool(max_size=1, reset=reset)
    with pool.connection() as connection:
        connection.change_user(account.user, account.password, server.database)
        assert user_of(connection) == account.user
        if forgets:  # as Django's engine does after each connect
            connection.forget_holds()
    with pool.connection() as connection:
        assert user_of(connection) == server.user
    assert pool.stats()["connections_num"] == 2


def test_a_configure_hook_may_change_the_user_of_every_session(
    make_pool: Any, server: Server, account: Account
) -> None:
    def configure(connection: forksafe.Connection) -> None:
        connection.change_user(account.user, account.password, server.database)

    pool = make_pool(max_size=1, configure=configure)
    for _ in range(2):
        with pool.connection() as connection:
            assert user_of(connection) == account.user
    with pool.connection() as connection:
        connection.change_user(server.user, server.password, server.database)
    with pool.connection() as connection:
        assert user_of(connection) == account.user
    assert pool.stats()["connections_num"] == 2


def test_it_leaves_a_hook_no_more_time_than_it_had(
    make_pool: Any, server: Server, account: Account
) -> None:
    def configure(connection: forksafe.Connection) -> None:
        connection.change_user(account.user, account.password, server.database)
        connection.cursor().execute("SELECT SLEEP(20)")

    pool = make_pool(configure=configure, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(forksafe.OperationalError, match="timed out"):
        pool.connect()
    assert time.monotonic() - began < 10


def test_it_is_something_that_the_session_holds(connect: Connect, account: Account) -> None:
    connection = connect()
    connection.cursor().execute("SET @mine = 1")
    connection.change_user(account.user, account.password)
    assert connection.holds == ("change_user",)


def test_where_the_set_up_is_refused_the_session_is_over(
    connect: Connect, server: Server, account: Account, table: Any
) -> None:
    secret = table("a INT")
    revoke = f"REVOKE ALL ON {server.database}.* FROM {account.user}@'%'"
    connection = connect(init_command=f"SELECT COUNT(*) FROM {server.database}.{secret}")
    server.execute_as_root(revoke)
    with pytest.raises(forksafe.OperationalError, match="1142"):
        connection.change_user(account.user, account.password)
    with pytest.raises(forksafe.OperationalError, match="2006.*change_user"):
        connection.ping()


@pytest.mark.parametrize("allowed", [True, False])
def test_several_statements_are_taken_as_at_connect(
    connect: Connect, account: Account, allowed: bool
) -> None:
    connection = connect(multi_statements=allowed)
    connection.set_server_option(int(allowed))  # 0 switches it on, 1 off
    connection.change_user(account.user, account.password)
    cursor = connection.cursor()
    if allowed:
        cursor.execute("SELECT 1; SELECT 2")
        assert cursor.nextset()
    else:
        with pytest.raises(forksafe.ProgrammingError, match="1064"):
            cursor.execute("SELECT 1; SELECT 2")


def test_ctrl_c_still_ends_the_statement_on_the_server(
    connect: Connect, server: Server, account: Account, witness: watched.Witness
) -> None:
    connection = connect()
    connection.change_user(account.user, account.password, server.database)
    session = connection.thread_id()
    cut_off(
        lambda: connection.cursor().execute("SELECT SLEEP(60), 600 > 1"),
        lambda: until_running(witness, session, "600 > 1"),
    )
    until(lambda: session not in witness.sessions())


@pytest.mark.usefixtures("ed25519")
def test_client_ed25519_logs_in_again(connect: Connect, server: Server, account: Account) -> None:
    server.execute_as_root(f"ALTER USER {account.user}@'%' {ED25519}")
    connection = connect()
    for _ in range(2):
        connection.change_user(account.user, "signed")
        assert user_of(connection) == account.user
        connection.change_user(server.user, server.password)
        assert user_of(connection) == server.user
