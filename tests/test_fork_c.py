"""A fork made in C, past Python's own hooks, as uWSGI makes it: the kernel tells all the same.

The matrix has what such a child may do (`tests/matrix`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.matrix.way import Clone, LibcFork, Way
from tests.watched import Watched

watch, witness = watched.watch, watched.witness

Watch = Callable[..., Watched]


@pytest.mark.parametrize("way", [LibcFork(), Clone()], ids=lambda way: way.name)
def test_pythons_own_hooks_do_not_run_in_such_a_child(
    monkeypatch: pytest.MonkeyPatch, in_child: Callable[..., Any], way: Way
) -> None:
    if way.unavailable:
        pytest.skip(way.unavailable)
    monkeypatch.setattr(os, "fork", way.fork)
    ran: list[int] = []
    os.register_at_fork(after_in_child=lambda: ran.append(os.getpid()))
    assert in_child(lambda: ran) == []


def test_generations_made_by_turns_in_c_and_by_python(
    monkeypatch: pytest.MonkeyPatch, watch: Watch
) -> None:
    parent, ways = watch("in_transaction"), [LibcFork().fork, os.fork]

    def generation(depth: int) -> list[int]:
        noticed = [parent.pool.stats()["forks_noticed"]]
        if depth < 5:
            monkeypatch.setattr(os, "fork", ways[depth % 2])
            noticed += fork.in_child(generation, depth + 1)
        assert len(touch(parent)) == 2
        return noticed

    assert fork.in_child(generation, 1) == [1, 2, 3, 4, 5]
    parent.assert_undisturbed()


def test_no_child_hangs_beside_threads_that_wait_for_the_server(
    connect: Callable[..., forksafe.Connection],
    witness: watched.Witness,
    request: pytest.FixtureRequest,
) -> None:
    """One that asked for the interpreter's lock in the moment of such a fork would hang the child.

    They did five times a second: of 700 children beside eight threads, six hung.
    """
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)  # whoever asks for the lock insists at once
    sql = "SELECT SLEEP(8)"
    waiting = [Thread(target=lambda: connect().cursor().execute(sql)) for _ in range(16)]
    for thread in waiting:
        thread.start()
    asleep = f"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = '{sql}'"
    while witness.ask(asleep) != [(len(waiting),)]:
        time.sleep(0.01)
    codes, end = [], time.monotonic() + 3  # well before they wake
    while time.monotonic() < end:
        if (pid := LibcFork().fork()) == 0:
            for _ in range(20):
                time.sleep(0.0001)  # gives the lock away, and takes it again
            os._exit(0)
        codes.append(fork.reap(pid, time.monotonic() + 2))
    for thread in waiting:
        thread.join(20)
    assert set(codes) == {0}


def touch(parent: Watched) -> set[int]:
    """Whatever a child may do with what it inherited, and work of its own at full size."""
    with pytest.raises(forksafe.OperationalError, match=f"process {os.getpid()}"):
        parent.connection.cursor()
    parent.connection.rollback()
    parent.connection.close()
    lent = [parent.pool.connect() for _ in range(parent.pool.stats()["pool_max"])]
    sessions = {connection.thread_id() for connection in lent}
    for connection in lent:
        connection.close()
    parent.pool.close()
    parent.drop()
    return sessions
