"""A server that takes no changes any more, as after a failover: its connections are not lent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server

MakePool = Callable[..., forksafe.Pool]
Table = Callable[..., str]

OPTION_PREVENTS, READ_ONLY_TRANSACTION = 1290, 1792


@pytest.fixture
def account(server: Server) -> Iterator[dict[str, str]]:
    """Keywords of an account that a read-only server refuses: without the rights of SUPER."""
    name = f"writer@'%' IDENTIFIED BY '{server.password}'"
    server.execute_as_root(
        f"CREATE USER {name}; GRANT SELECT, INSERT ON {server.database}.* TO writer@'%'"
    )
    yield {"user": "writer"}
    server.execute_as_root("DROP USER writer@'%'")


@pytest.fixture
def read_only_transactions(server: Server) -> str:
    """What the variable is called that makes each transaction of a session a read-only one."""
    found = server.execute_as_root("SHOW GLOBAL VARIABLES WHERE Variable_name LIKE 't%_read_only'")
    return str(found[0][0])


def write(connection: forksafe.Connection, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1)")


def refused(pool: forksafe.Pool, table: str, number: int) -> int:
    """Try to write on a connection of the pool, which fails with `number`: its session."""
    with pytest.raises(forksafe.OperationalError) as caught, pool.connection() as connection:
        session = connection.thread_id()
        write(connection, table)
    assert caught.value.args[0] == number
    return session


def session_of(pool: forksafe.Pool) -> int:
    with pool.connection() as connection:
        connection.ping()
        return connection.thread_id()


def test_a_connection_of_a_demoted_server_is_never_lent_again(
    make_pool: MakePool, server: Server, account: dict[str, str], table: Table
) -> None:
    pool, name = make_pool(**account, max_size=1), table()
    before = session_of(pool)
    with server.variables(read_only=1):
        assert refused(pool, name, OPTION_PREVENTS) == before
        discards: Any = pool.stats()["discards"]
        assert discards["read_only"] == 1
        assert sum(discards.values()) == 1
        after = session_of(pool)
        assert after != before, "it can be read from, on a connection of its own"
    with pool.connection() as connection:
        write(connection, name)
        assert connection.thread_id() == after


def test_the_others_of_that_server_are_not_lent_either(
    make_pool: MakePool, server: Server, account: dict[str, str], table: Table
) -> None:
    pool, name = make_pool(**account, max_size=3), table()
    held = [pool.connect() for _ in range(3)]
    before = {connection.thread_id() for connection in held}
    for connection in held[1:]:
        connection.close()
    with server.variables(read_only=1):
        refused(pool, name, OPTION_PREVENTS)
    held[0].close()
    after = [pool.connect() for _ in range(3)]
    assert not before & {connection.thread_id() for connection in after}
    discards: Any = pool.stats()["discards"]
    assert (discards["read_only"], discards["drained"]) == (1, 2)


def test_a_server_whose_transactions_are_read_only_is_one_too(
    make_pool: MakePool,
    server: Server,
    account: dict[str, str],
    table: Table,
    read_only_transactions: str,
) -> None:
    pool, name = make_pool(**account, max_size=1), table()
    with server.variables(**{read_only_transactions: 1}):
        before = refused(pool, name, READ_ONLY_TRANSACTION)
    assert session_of(pool) != before
    discards: Any = pool.stats()["discards"]
    assert discards["read_only"] == 1


@pytest.mark.parametrize("sql", ["START TRANSACTION READ ONLY", "SET SESSION {} = 1"])
def test_a_program_may_want_a_transaction_without_changes(
    make_pool: MakePool, table: Table, sql: str, read_only_transactions: str
) -> None:
    pool, name = make_pool(max_size=1, reset="session"), table()
    before = session_of(pool)
    with pytest.raises(forksafe.OperationalError) as caught, pool.connection() as connection:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(read_only_transactions))
        write(connection, name)
    assert caught.value.args[0] == READ_ONLY_TRANSACTION
    assert session_of(pool) == before
    with pool.connection() as connection:
        write(connection, name)


def test_another_option_that_prevents_a_statement_says_nothing_of_the_server(
    make_pool: MakePool, server: Server
) -> None:
    if "MariaDB" not in str(server.execute_as_root("SELECT VERSION()")):
        pytest.skip("MySQL has no such option that can be had at once")
    pool = make_pool(max_size=1)
    before = session_of(pool)
    with (
        pytest.raises(forksafe.OperationalError, match="--max-user-connections") as caught,
        pool.connection() as connection,
        connection.cursor() as cursor,
    ):
        # Only a server that began with a limit takes another one.
        cursor.execute("SET GLOBAL max_user_connections = 1000")
    assert caught.value.args[0] == OPTION_PREVENTS
    assert session_of(pool) == before


def test_of_several_hosts_the_demoted_one_is_left_alone(
    make_pool: MakePool, server: Server, account: dict[str, str], table: Table
) -> None:
    hosts = [f"{host}:{server.port}" for host in ("127.0.0.1", "localhost")]
    pool, name = make_pool(**account, host=",".join(hosts), max_size=1), table()
    with server.variables(read_only=1):
        refused(pool, name, OPTION_PREVENTS)
    with pool.connection() as connection:
        write(connection, name)
        assert connection.get_host_info() == f"{hosts[1]} via TCP/IP"
