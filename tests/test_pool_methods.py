"""What can be done with a whole pool: open, close, drain, check, suspend."""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.answers import one, wait_until
from tests.proxy import FaultProxy
from tests.threads import in_thread

MakePool = Callable[..., forksafe.Pool]


def sessions(pool: forksafe.Pool, count: int) -> set[int]:
    """Of `count` connections that are lent at once."""
    held = [pool.connect() for _ in range(count)]
    found = {connection.thread_id() for connection in held}
    for connection in held:
        connection.close()
    return found


def test_open_opens_min_size_connections_each_configured(
    make_pool: MakePool, server: Server
) -> None:
    configured = []
    pool = make_pool(min_size=3, configure=lambda made: configured.append(made.thread_id()))
    assert (len(pool), configured) == (0, [])
    pool.open()
    assert (len(pool), pool.stats()["pool_available"]) == (3, 3)
    assert set(configured) <= server.session_ids()
    pool.open()
    assert len(configured) == 3
    assert sessions(pool, 3) == set(configured)


def test_open_that_does_not_wait_opens_nothing(make_pool: MakePool) -> None:
    pool = make_pool(min_size=3)
    pool.open(wait=False)
    assert len(pool) == 0


def test_a_with_block_opens_and_closes(make_pool: MakePool) -> None:
    with make_pool(min_size=2) as pool:
        assert (len(pool), pool.closed) == (2, False)
    assert (len(pool), pool.closed) == (0, True)


@pytest.mark.parametrize("wait", [True, False])
def test_a_closed_pool_is_not_opened_again(make_pool: MakePool, wait: bool) -> None:
    pool = make_pool(name="shop")
    pool.close()
    with pytest.raises(forksafe.PoolClosed, match="'shop' .*closed"):
        pool.open(wait=wait)


def test_open_raises_what_connect_would(make_pool: MakePool) -> None:
    pool = make_pool(min_size=1, password="wrong")
    with pytest.raises(forksafe.OperationalError) as caught:
        pool.open()
    assert caught.value.args[0] == 1045
    pool = make_pool(min_size=1, configure=lambda _: 1 // 0)
    with pytest.raises(forksafe.OperationalError, match="configure hook") as caught:
        pool.open()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_open_ends_with_its_time_out(make_pool: MakePool, proxy: FaultProxy) -> None:
    pool = make_pool(host=proxy.host, port=proxy.port, min_size=1)
    proxy.hang()
    started = time.monotonic()
    with pytest.raises(forksafe.OperationalError):
        pool.open(timeout=0.3)
    assert time.monotonic() - started < 8


def test_close_answers_how_many_are_in_use(make_pool: MakePool) -> None:
    pool = make_pool()
    held = [pool.connect(), pool.connect()]
    assert pool.close() == 2
    held.pop().close()
    assert pool.close() == 1
    held.pop().close()
    assert pool.close() == 0
    assert pool.stats()["discards"]["closed"] == 2


def test_close_waits_for_what_is_in_use(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.connect()
    closing = in_thread(lambda: pool.close(timeout=20))
    wait_until(lambda: pool.closed)
    assert one(connection, "SELECT 1") == 1
    connection.close()
    assert closing() == 0


def test_close_gives_up_after_its_time_out(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.connect()
    assert pool.close(timeout=0.1) == 1
    connection.close()
    assert len(pool) == 0


@pytest.mark.parametrize("method", ["open", "close", "connect", "connection"])
def test_a_time_out_below_zero_is_refused(make_pool: MakePool, method: str) -> None:
    with pytest.raises(forksafe.ProgrammingError, match="timeout"):
        getattr(make_pool(), method)(timeout=-1)


def test_drain_replaces_every_connection(make_pool: MakePool, server: Server) -> None:
    pool = make_pool()
    old = sessions(pool, 2)
    held = pool.connect()
    pool.drain()
    wait_until(lambda: server.session_ids() & old == {held.thread_id()})
    assert one(held, "SELECT 1") == 1
    held.close()
    wait_until(lambda: not server.session_ids() & old)
    assert not sessions(pool, 2) & old
    assert pool.stats()["discards"]["drained"] == 2
    assert pool.stats()["pool_available"] == 2


def test_check_closes_the_idle_that_are_dead(make_pool: MakePool, server: Server) -> None:
    pool = make_pool()
    first, second, third = sorted(sessions(pool, 3))
    assert pool.check() == 0
    for doomed in (first, third):
        server.kill_session(doomed)
    wait_until(lambda: not {first, third} & server.session_ids())
    assert pool.check() == 2
    assert (len(pool), pool.stats()["connections_lost"]) == (1, 2)
    assert sessions(pool, 1) == {second}


def test_check_asks_the_check_hook_too(make_pool: MakePool) -> None:
    refused: set[int] = set()

    def check(connection: forksafe.Connection) -> None:
        assert connection.thread_id() not in refused

    pool = make_pool(check=check)
    found = sessions(pool, 2)
    assert pool.check() == 0
    refused |= {min(found)}
    assert pool.check() == 1
    assert sessions(pool, 1) == found - refused


def test_a_suspended_pool_lends_nothing_until_it_resumes(make_pool: MakePool) -> None:
    pool = make_pool(timeout=20, name="shop")
    held = pool.connect()
    pool.suspend()
    assert pool.stats()["suspended"] is True
    with pytest.raises(forksafe.PoolTimeout, match="suspended"):
        pool.connect(timeout=0.05)
    assert one(held, "SELECT 1") == 1
    held.close()
    waiting = in_thread(pool.connect)
    wait_until(lambda: pool.stats()["requests_waiting"] == 1)
    pool.resume()
    waiting().close()
    pool.resume()
    assert pool.stats()["suspended"] is False
    assert pool.stats()["connections_num"] == 1


def test_a_child_of_a_suspended_pool_lends(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    pool = make_pool(timeout=5)
    pool.suspend()

    def child() -> Any:
        with pool.connection() as connection:
            return one(connection, "SELECT 1")

    assert in_child(child) == 1


def test_len_counts_what_is_open_and_a_pool_is_always_true(make_pool: MakePool) -> None:
    pool = make_pool()
    assert (len(pool), bool(pool)) == (0, True)
    with pool.connection():
        assert len(pool) == 1
    assert len(pool) == 1
    pool.close()
    assert (len(pool), bool(pool)) == (0, True)


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_pool_cannot_be_pickled_or_copied(make_pool: MakePool, way: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="belong to one process"):
        way(make_pool())


def test_every_method_says_what_it_does_and_what_others_call_it() -> None:
    names = [name for name in vars(forksafe.Pool) if not name.startswith("_")]
    assert len(names) >= 13
    for name in names:
        text = getattr(forksafe.Pool, name).__doc__ or ""
        assert len(text) > 20, name
        if name not in ("closed", "name"):
            assert any(peer in text for peer in ("psycopg_pool", "HikariCP")), name


@pytest.mark.parametrize("method", ["close", "connect"])
def test_ctrl_c_ends_what_waits(
    run_python: Callable[..., Any], server: Server, method: str
) -> None:
    program = """
import os, signal, sys, forksafe

def interrupt(*_):
    raise KeyboardInterrupt

pool = forksafe.Pool(os.environ["FORKSAFE_TEST_URL"], max_size=1)
held = pool.connect()
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    getattr(pool, sys.argv[1])(timeout=50)
except KeyboardInterrupt:
    print("interrupted", pool.stats()["requests_waiting"])
"""
    assert run_python(program, method, timeout=30).stdout.split() == ["interrupted", "0"]
