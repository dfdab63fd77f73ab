"""A hook that raises, closes its connection or will not let go of it loses no slot of the pool."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.answers import wait_until
from tests.pool_hooks import Hook, session_of

MakePool = Callable[..., forksafe.Pool]


def fails_as(pool: forksafe.Pool, text: str) -> forksafe.OperationalError:
    """The error of a check-out, which says so, and has left no slot behind."""
    with pytest.raises(forksafe.OperationalError, match=text) as caught:
        pool.connect()
    assert caught.value.args[0] == 2000
    assert (len(pool), pool.stats()["in_use"]) == (0, 0)
    return caught.value


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


def test_a_hook_that_waits_for_its_own_pool_in_vain_gets_a_time_out(make_pool: MakePool) -> None:
    pool = make_pool(configure=lambda _: pool.connect(timeout=0.2), max_size=1, timeout=5)
    error = fails_as(pool, "the configure hook raised PoolTimeout: .*no connection within 0.2s")
    assert isinstance(error.__cause__, forksafe.PoolTimeout)


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
