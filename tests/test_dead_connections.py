"""A connection that the server has closed is never lent, and the statistics say how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests.proxy import FaultProxy

MakePool = Callable[..., forksafe.Pool]


def session_of(connection: forksafe.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return int(cursor.fetchone()[0])


def use(pool: forksafe.Pool) -> int:
    with pool.connection() as connection:
        return session_of(connection)


def use_all(pool: forksafe.Pool) -> set[int]:
    lent = [pool.connect() for _ in range(pool.stats()["pool_max"])]
    sessions = {session_of(connection) for connection in lent}
    for connection in lent:
        connection.close()
    return sessions


def counted(pool: forksafe.Pool, *names: str) -> tuple[int, ...]:
    stats: Any = pool.stats()
    return tuple(
        stats["discards"][name] if name in stats["discards"] else stats[name] for name in names
    )


def wait_until_gone(server: Server, sessions: set[int]) -> None:
    deadline = time.monotonic() + 10
    while server.session_ids() & sessions:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_idled_past_wait_timeout_is_replaced(
    make_pool: MakePool, server: Server, transport: str
) -> None:
    # Without the limit derived from it, so that the probe alone must tell.
    pool = make_pool(transport, ping_after=60, max_idle=600)
    with pool.connection() as connection, connection.cursor() as cursor:
        first = session_of(connection)
        cursor.execute("SET SESSION wait_timeout = 1")
    time.sleep(1.1)
    wait_until_gone(server, {first})
    assert use(pool) != first
    assert counted(pool, "connections_num", "probe_failures", "broken", "pings") == (2, 1, 1, 0)


def test_those_that_an_administrator_killed_are_replaced(
    make_pool: MakePool, server: Server, transport: str
) -> None:
    pool = make_pool(transport, max_size=5, ping_after=60)
    first = use_all(pool)
    assert len(first) == 5
    for session in first:
        server.kill_session(session)
    wait_until_gone(server, first)
    second = use_all(pool)
    assert len(second) == 5
    assert not first & second
    assert counted(pool, "connections_num", "probe_failures", "broken", "pings") == (10, 5, 5, 0)
    assert use_all(pool) == second


def test_those_of_a_server_that_was_restarted_are_replaced(
    make_pool: MakePool, controlled_server: Throwaway, transport: str
) -> None:
    pool = make_pool(transport, max_size=3)
    use_all(pool)
    controlled_server.restart()
    assert len(use_all(pool)) == 3
    assert counted(pool, "connections_num", "probe_failures", "connections_errors") == (6, 3, 0)


def test_one_killed_while_lent_is_not_kept(
    make_pool: MakePool, server: Server, transport: str
) -> None:
    pool = make_pool(transport)
    with pytest.raises(forksafe.OperationalError) as caught, pool.connection() as connection:
        first = session_of(connection)
        server.kill_session(first)
        wait_until_gone(server, {first})
        session_of(connection)
    assert caught.value.args[0] in (2006, 2013)
    assert counted(pool, "pool_available", "in_use", "broken") == (0, 0, 1)
    assert use(pool) != first


def test_one_killed_while_lent_and_not_used_again_is_not_lent_again(
    make_pool: MakePool, server: Server, transport: str
) -> None:
    pool = make_pool(transport)
    with pool.connection() as connection:
        first = session_of(connection)
        server.kill_session(first)
        wait_until_gone(server, {first})
    assert use(pool) != first
    assert counted(pool, "connections_num", "broken") == (2, 1)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("fault", ["rst", "fin"])
def test_those_that_a_firewall_ended_are_replaced(
    make_pool: MakePool, proxy: FaultProxy, transport: str, fault: str
) -> None:
    pool = make_pool(transport, host=proxy.host, port=proxy.port, max_size=3, ping_after=60)
    first = use_all(pool)
    getattr(proxy, fault)()
    for _ in range(3):
        proxy.stats()  # by now the proxy has done so
    assert not first & use_all(pool)
    assert counted(pool, "connections_num", "probe_failures", "pings") == (6, 3, 0)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_one_that_looks_open_but_does_not_answer_fails_the_ping(
    make_pool: MakePool, proxy: FaultProxy, transport: str
) -> None:
    pool = make_pool(transport, host=proxy.host, port=proxy.port, ping_after=0.05)
    first = use(pool)
    time.sleep(0.06)
    proxy.swallow()
    assert use(pool) != first
    assert counted(pool, "connections_num", "pings", "ping_failures", "broken") == (2, 1, 1, 1)


def test_one_that_was_used_just_now_is_not_pinged(make_pool: MakePool, server: Server) -> None:
    pool = make_pool(ping_after=60)
    first = use(pool)
    assert {use(pool) for _ in range(20)} == {first}
    assert counted(pool, "connections_num", "requests_num") == (1, 21)
    assert counted(pool, "pings", "probe_failures") == (0, 0)


def test_without_pre_ping_a_dead_one_is_lent(make_pool: MakePool, server: Server) -> None:
    pool = make_pool(pre_ping=False)
    first = use(pool)
    server.kill_session(first)
    wait_until_gone(server, {first})
    with pytest.raises(forksafe.OperationalError) as caught:
        use(pool)
    assert caught.value.args[0] in (2006, 2013)
    assert use(pool) != first
