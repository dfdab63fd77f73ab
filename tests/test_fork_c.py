"""A fork made in C, past Python's own hooks, as uWSGI makes it: the kernel tells all the same."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.watched import STATES, Watched

watch, witness = watched.watch, watched.witness

InChild = Callable[..., Any]
Watch = Callable[..., Watched]

# A child so made takes over the interpreter as it is, so nothing may run beside it here: PyDLL
# calls with the interpreter's lock held, and the child holds it then.
LIBC = ctypes.PyDLL(None, use_errno=True)
SYS_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine())


def libc_fork() -> int:
    return int(LIBC.fork())


def raw_clone() -> int:
    return int(LIBC.syscall(SYS_CLONE, signal.SIGCHLD, 0, 0, 0, 0))


WAYS_TO_FORK = [
    libc_fork,
    pytest.param(
        raw_clone,
        marks=pytest.mark.skipif(
            SYS_CLONE is None or not sys.platform.startswith("linux"),
            reason="the number of clone is known for Linux on x86-64 and ARM64 only",
        ),
    ),
]


@pytest.fixture(params=WAYS_TO_FORK)
def fork_in_c(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `os.fork`, and so `in_child`, be one of WAYS_TO_FORK."""
    monkeypatch.setattr(os, "fork", request.param)


def use_at_full_size(pool: forksafe.Pool) -> set[int]:
    connections = [pool.connect() for _ in range(pool.stats()["max_size"])]
    sessions = set()
    for connection in connections:
        with connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            sessions.add(cursor.fetchone()[0])
        connection.close()
    pool.close()
    return sessions


def touch(parent: Watched) -> set[int]:
    """Whatever a child may do with what it inherited, and work of its own."""
    if parent.connection:
        with pytest.raises(forksafe.OperationalError, match=f"process {os.getpid()}"):
            parent.connection.cursor()
        parent.connection.rollback()
        parent.connection.close()
    sessions = use_at_full_size(parent.pool)
    parent.drop()
    return sessions


def test_pythons_own_hooks_do_not_run_in_such_a_child(fork_in_c: None, in_child: InChild) -> None:
    ran: list[int] = []
    os.register_at_fork(after_in_child=lambda: ran.append(os.getpid()))
    assert in_child(lambda: ran) == []


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_parent_goes_on_after_a_child_has_left(
    fork_in_c: None, watch: Watch, in_child: InChild, state: str, leave: str
) -> None:
    parent = watch(state)
    in_child(os.getpid, leave=leave)
    parent.assert_undisturbed()


@pytest.mark.parametrize("state", STATES)
def test_a_child_works_on_sessions_of_its_own(
    fork_in_c: None, watch: Watch, in_child: InChild, transport: str, state: str
) -> None:
    parent = watch(state, transport)
    sessions = in_child(touch, parent)
    assert len(sessions) == 2
    assert parent.session not in sessions
    parent.assert_undisturbed()


def test_generations_made_by_turns_in_c_and_by_python(
    monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    parent, ways = watch("in_transaction"), [libc_fork, os.fork]

    def generation(depth: int) -> list[int]:
        noticed = [parent.pool.stats()["forks_noticed"]]
        if depth < 5:
            monkeypatch.setattr(os, "fork", ways[depth % 2])
            noticed += fork.in_child(generation, depth + 1)
        assert len(touch(parent)) == 2
        return noticed

    assert fork.in_child(generation, 1) == [1, 2, 3, 4, 5]
    parent.assert_undisturbed()


def test_a_fork_in_c_while_a_thread_is_in_the_middle_of_a_query(
    fork_in_c: None, watch: Watch, in_child: InChild, transport: str
) -> None:
    parent, answers = watch("in_transaction", transport), []
    statement = parent.witness.hold_a_lock()

    def query() -> None:
        with parent.connection.cursor() as cursor:
            cursor.execute(statement)
            answers.append(cursor.fetchall())

    thread = threading.Thread(target=query)
    thread.start()
    # Now it waits for the server. If it waited for the interpreter, Python itself would hang.
    parent.witness.wait_until_waiting(parent.session)
    assert len(in_child(touch, parent)) == 2
    assert answers == []
    parent.witness.release_locks()
    thread.join(10)
    assert answers == [watched.ANSWER]
    parent.assert_undisturbed()
