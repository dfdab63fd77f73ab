"""An application's functions around a pool's connections; one that fails loses nothing."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from forksafe.converters import conversions
from scripts.mariadb_server import Server
from tests.fork import reap
from tests.test_pool import one, wait_until

MakePool = Callable[..., forksafe.Pool]
Table = Callable[[str], str]


class Hook:
    """A hook that notes the sessions it was called with, runs statements, and raises if told."""

    def __init__(self, *statements: str) -> None:
        self.statements = statements
        self.sessions: list[int] = []
        self.kept: list[forksafe.Connection] = []
        self.error: BaseException | None = None

    def __call__(self, connection: forksafe.Connection) -> None:
        self.sessions.append(connection.thread_id())
        self.kept.append(connection)
        for sql in self.statements:
            connection.cursor().execute(sql)
        if self.error:
            raise self.error


def fails_as(pool: forksafe.Pool, text: str) -> forksafe.OperationalError:
    """The error of a check-out, which says so, and has left no slot behind."""
    with pytest.raises(forksafe.OperationalError, match=text) as caught:
        pool.connect()
    assert caught.value.args[0] == 2000
    assert (len(pool), pool.stats()["in_use"]) == (0, 0)
    return caught.value


def session_of(pool: forksafe.Pool) -> int:
    """Of the connection that the pool lends."""
    with pool.connection() as connection:
        return connection.thread_id()


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


def test_a_configure_that_raises_loses_no_slot(make_pool: MakePool, server: Server) -> None:
    configure = Hook("DO 1")
    configure.error = LookupError("no such tenant")
    pool = make_pool(configure=configure, max_size=1, timeout=5)
    for _ in range(3):
        error = fails_as(pool, "the configure hook raised LookupError: no such tenant")
        assert error.__cause__ is configure.error
    wait_until(lambda: not set(configure.sessions) & server.session_ids())
    configure.error = None
    assert session_of(pool) == configure.sessions[-1]


def test_a_configure_whose_statement_fails_is_told_with_its_error(make_pool: MakePool) -> None:
    pool = make_pool(configure=Hook("SELECT no_such_column"))
    error = fails_as(pool, "the configure hook raised OperationalError: .*no_such_column")
    assert error.__cause__ is not None
    assert error.__cause__.args[0] == 1054


@pytest.mark.parametrize("name", ["configure", "check", "reset"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_passes_as_itself(
    make_pool: MakePool, name: str, kind: type[BaseException]
) -> None:
    hook = Hook()
    pool = make_pool(**{name: hook}, max_size=1, timeout=5)
    if name == "check":
        pool.connect().close()
    hook.error = kind("now")
    with pytest.raises(kind, match="now") as caught:
        pool.connect().close()
    assert caught.value is hook.error
    hook.error = None
    assert session_of(pool) > 0
    assert len(pool) == 1


def test_a_connection_that_check_refuses_is_replaced(make_pool: MakePool) -> None:
    check, events = Hook(), []
    pool = make_pool(check=check, on_event=events.append)
    session = session_of(pool)
    assert check.sessions == []  # new ones are not checked
    assert session_of(pool) == session
    assert check.sessions == [session]
    check.error = LookupError("stale")
    other = session_of(pool)
    assert other != session
    assert pool.stats()["discards"]["broken"] == 1
    (discard,) = [event for event in events if event.kind == "discard"]
    assert discard.details["error"] is check.error
    assert "LookupError: stale" in discard.text


def test_a_caller_without_time_gets_a_connection_unchecked(make_pool: MakePool) -> None:
    check = Hook("DO 1")
    pool = make_pool(check=check)
    session = session_of(pool)
    with pool.connection(timeout=0) as connection:
        assert connection.thread_id() == session
    assert check.sessions == []


def test_no_hook_is_begun_while_what_another_has_raised_is_on_its_way(
    make_pool: MakePool,
) -> None:
    configure, check, left = Hook(), Hook(), []
    pool = make_pool(configure=configure, check=check)
    pool.connect().close()
    check.error = SystemExit()

    def leave() -> None:
        try:
            pool.connect()
        except SystemExit as error:
            left.append(error)

    thread = threading.Thread(target=leave)  # which no signal handler runs in
    thread.start()
    thread.join(20)
    assert left == [check.error]
    assert len(configure.sessions) == 1


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


def test_a_connection_whose_reset_raises_is_not_lent_again(make_pool: MakePool) -> None:
    reset, events = Hook(), []
    pool = make_pool(reset=reset, on_event=events.append, max_size=1, timeout=5)
    reset.error = LookupError("dirty")
    session = session_of(pool)
    assert reset.sessions == [session]
    discard = events[-1]
    assert (discard.kind, discard.details["reason"]) == ("discard", "broken")
    assert discard.details["error"] is reset.error
    assert "LookupError: dirty" in discard.text
    reset.error = None
    assert session_of(pool) != session
    assert session_of(pool) == reset.sessions[-1]
    stats = pool.stats()
    assert (stats["discards"]["broken"], stats["returns_bad"]) == (1, 1)


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


@pytest.mark.parametrize("name", ["configure", "check", "reset"])
def test_a_hook_that_closes_its_connection_loses_it_and_no_slot(
    make_pool: MakePool, server: Server, name: str
) -> None:
    sessions, closing = [], True

    def hook(connection: forksafe.Connection) -> None:
        sessions.append(connection.thread_id())
        if closing:
            connection.close()

    pool = make_pool(**{name: hook}, max_size=1, timeout=5)
    if name == "configure":
        fails_as(pool, "the configure hook closed the connection that it was given")
    else:
        first, second = session_of(pool), session_of(pool)
        assert first != second
    wait_until(lambda: not set(sessions) & server.session_ids())
    closing = False
    assert session_of(pool) > 0
    assert len(pool) == 1


def test_a_connection_that_another_thread_goes_on_using_is_broken(
    make_pool: MakePool, server: Server
) -> None:
    threads, kept, sessions = [], [], []
    asleep = "SELECT SLEEP(2)"

    def reset(connection: forksafe.Connection) -> None:
        kept.append(connection)
        sessions.append(connection.thread_id())
        sleep = threading.Thread(target=connection.cursor().execute, args=(asleep,))
        threads.append(sleep)
        sleep.start()
        # The server says when it is in use: to ask the connection would be in that thread's way.
        wait_until(lambda: asleep in {row["INFO"] for row in server.processlist()})

    pool = make_pool(reset=reset, max_size=1, timeout=5)
    pool.connect().close()
    assert (len(pool), pool.stats()["discards"]["broken"]) == (0, 1)
    assert not kept[0].open
    threads[0].join()
    wait_until(lambda: not set(sessions) & server.session_ids())
    with pytest.raises(forksafe.InterfaceError, match="closed"):
        kept[0].ping()


def test_a_hook_may_check_out_another_connection(make_pool: MakePool) -> None:
    nested = []

    def configure(connection: forksafe.Connection) -> None:
        if len(nested) < 1:
            nested.append(connection.thread_id())
            nested.append(session_of(pool))

    pool = make_pool(configure=configure, max_size=2, timeout=5)
    assert session_of(pool) in nested
    assert len(pool) == len(set(nested)) == 2


def test_a_hook_that_waits_for_its_own_pool_in_vain_gets_a_time_out(make_pool: MakePool) -> None:
    pool = make_pool(configure=lambda _: pool.connect(timeout=0.2), max_size=1, timeout=5)
    error = fails_as(pool, "the configure hook raised PoolTimeout: .*no connection within 0.2s")
    assert isinstance(error.__cause__, forksafe.PoolTimeout)


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


def test_a_hook_is_called_with_ctrl_c_under_way_to_the_program_alone(
    run_python: Callable[..., Any], server: Server
) -> None:
    # A signal comes while configure waits for the server: the hook sees it, then the program.
    program = """
import os, signal, forksafe

def configure(connection):
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        connection.cursor().execute("SELECT SLEEP(20)")
    finally:
        print("hook ended")

signal.signal(signal.SIGALRM, signal.default_int_handler)
pool = forksafe.Pool(os.environ["FORKSAFE_TEST_URL"], configure=configure)
try:
    pool.connect()
except KeyboardInterrupt as error:
    print("interrupted", len(pool), pool.stats()["in_use"])
"""
    assert run_python(program).stdout.splitlines() == ["hook ended", "interrupted 0 0"]
