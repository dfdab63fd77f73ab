"""An application's functions around a pool's connections: when they are called, and with what."""

from __future__ import annotations

import gc
import os
import signal
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.converters import conversions
from scripts.mariadb_server import Server
from tests.answers import one, wait_until
from tests.fork import reap
from tests.pool_hooks import Hook, session_of

MakePool = Callable[..., forksafe.Pool]
Table = Callable[[str], str]


def test_configure_is_called_once_with_each_new_connection(
    make_pool: MakePool, transport: str
) -> None:
    configure = Hook("SET @answer = 42")
    pool = make_pool(transport, configure=configure)
    first, second = pool.connect(), pool.connect()
    assert configure.sessions == [first.thread_id(), second.thread_id()]
    assert one(first, "SELECT @answer") == one(second, "SELECT @answer") == 42
    first.close()
    assert session_of(pool) in configure.sessions
    assert len(configure.sessions) == 2


def test_a_hook_gets_a_connection_like_those_that_are_lent(make_pool: MakePool) -> None:
    seen = []

    def configure(connection: forksafe.Connection) -> None:
        assert isinstance(connection, forksafe.Connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 AS one, CAST('1.5' AS DECIMAL(3,1)) AS price")
            seen.append(cursor.fetchone())

    conv = {**conversions, forksafe.constants.FIELD_TYPE.NEWDECIMAL: float}
    pool = make_pool(configure=configure, conv=conv, cursorclass=forksafe.cursors.DictCursor)
    pool.connect().close()
    assert seen == [{"one": 1, "price": 1.5}]


@pytest.mark.parametrize("name", ["configure", "check", "reset"])
def test_the_connection_of_a_hook_is_closed_when_the_hook_returns(
    make_pool: MakePool, name: str
) -> None:
    hook = Hook()
    pool = make_pool(**{name: hook})
    session = session_of(pool)
    assert session_of(pool) == session
    assert set(hook.sessions) == {session}
    for kept in hook.kept:
        assert not kept.open
        kept.close()
        with pytest.raises(forksafe.InterfaceError, match="closed"):
            kept.cursor()
    hook.kept.clear()  # which must not end the session either
    assert session_of(pool) == session


@pytest.mark.parametrize("name", ["configure", "check", "reset"])
def test_what_a_hook_leaves_open_is_rolled_back(
    make_pool: MakePool, table: Table, name: str
) -> None:
    where = table("id INT PRIMARY KEY AUTO_INCREMENT")
    hook = Hook(f"INSERT INTO {where} VALUES ()", f"SELECT * FROM {where}; SELECT 1; SELECT 2")
    pool = make_pool(**{name: hook})
    for _ in range(3):
        with pool.connection() as connection:
            assert not connection.in_transaction
            assert one(connection, f"SELECT COUNT(*) FROM {where}") == 0
    assert hook.sessions
    assert pool.stats()["connections_num"] == 1


def test_a_caller_without_time_gets_a_connection_unchecked(make_pool: MakePool) -> None:
    check = Hook("DO 1")
    pool = make_pool(check=check)
    session = session_of(pool)
    with pool.connection(timeout=0) as connection:
        assert connection.thread_id() == session
    assert check.sessions == []


def test_reset_is_called_after_the_rollback(make_pool: MakePool, table: Table) -> None:
    where, seen = table("id INT PRIMARY KEY"), []

    def reset(connection: forksafe.Connection) -> None:
        seen.append((connection.in_transaction, one(connection, f"SELECT COUNT(*) FROM {where}")))

    pool = make_pool(reset=reset)
    connection = pool.connect()
    connection.cursor().execute(f"INSERT INTO {where} VALUES (1)")
    assert seen == []
    connection.close()
    assert seen == [(False, 0)]


def test_reset_is_not_called_with_what_is_broken(make_pool: MakePool, server: Server) -> None:
    reset = Hook()
    pool = make_pool(reset=reset)
    connection = pool.connect()
    server.kill_session(connection.thread_id())
    with pytest.raises(forksafe.OperationalError):
        connection.ping()
    connection.close()
    assert reset.sessions == []


def test_configure_is_called_again_when_the_session_was_renewed(make_pool: MakePool) -> None:
    configure = Hook("SET @answer = 42")
    pool = make_pool(configure=configure, reset="session", max_size=1)
    session = session_of(pool)
    assert session_of(pool) == session
    assert configure.sessions == [session]  # what configure has set is no reason to renew
    with pool.connection() as connection:
        connection.cursor().execute("SET @answer = 43")
    assert configure.sessions == [session, session]
    with pool.connection() as connection:
        assert (one(connection, "SELECT @answer"), connection.thread_id()) == (42, session)


def test_a_hook_may_check_out_another_connection(make_pool: MakePool) -> None:
    nested = []

    def configure(connection: forksafe.Connection) -> None:
        if len(nested) < 1:
            nested.append(connection.thread_id())
            nested.append(session_of(pool))

    pool = make_pool(configure=configure, max_size=2, timeout=5)
    assert session_of(pool) in nested
    assert len(pool) == len(set(nested)) == 2


@pytest.mark.parametrize("name", ["configure", "check", "reset"])
def test_a_hook_may_fork(make_pool: MakePool, name: str) -> None:
    parent, children = os.getpid(), []

    def hook(connection: forksafe.Connection) -> None:
        if children:
            return
        children.append(os.fork())
        if children == [0]:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(15)  # a child that hangs is killed
            with pytest.raises(forksafe.OperationalError, match="inherited"):
                connection.ping()

    pool = make_pool(**{name: hook}, max_size=1, timeout=5)
    try:
        pool.connect().close()
        pool.connect().close()
    except forksafe.OperationalError:
        if os.getpid() == parent:  # the child was in the middle of what is its parent's
            raise
    finally:
        if os.getpid() != parent:
            works = session_of(pool) > 0 and len(pool) == 1
            os._exit(0 if works else 1)
    assert session_of(pool) > 0
    assert pool.stats()["connections_num"] == 1
    assert reap(children[0], time.monotonic() + 20) == 0


def test_a_child_has_the_hooks_of_its_parent(
    make_pool: MakePool, in_child: Callable[..., Any]
) -> None:
    configure, reset = Hook("SET @answer = 42"), Hook()
    pool = make_pool(configure=configure, reset=reset)
    pool.connect().close()
    assert len(reset.sessions) == 1

    def child() -> tuple[Any, int, int]:
        with pool.connection() as connection:
            answer = one(connection, "SELECT @answer")
        return answer, len(configure.sessions), len(reset.sessions)

    assert in_child(child) == (42, 2, 2)


def test_reset_is_called_when_a_connection_is_collected(make_pool: MakePool) -> None:
    reset = Hook()
    pool = make_pool(reset=reset)
    connection = pool.connect()
    session = connection.thread_id()
    del connection
    gc.collect()
    assert reset.sessions == [session]
    assert session_of(pool) == session


def test_a_pool_and_hooks_that_refer_to_it_are_collected(server: Server) -> None:
    class Shop:
        def __init__(self) -> None:
            hooks = {"configure": self.hook, "reset": self.hook, "on_event": self.listen}
            self.pool = forksafe.Pool(**server.connect_kwargs(), **hooks)

        def hook(self, connection: forksafe.Connection) -> None:
            assert connection.open

        def listen(self, event: forksafe.events.Event) -> None:
            assert event.pool == self.pool.name

    shop = Shop()
    connection = shop.pool.connect()
    sessions = {connection.thread_id()}
    gone = weakref.ref(shop)
    del shop
    gc.collect()
    assert gone() is not None  # a connection that is lent still needs them
    connection.close()
    del connection
    gc.collect()
    assert gone() is None
    wait_until(lambda: not sessions & server.session_ids())
