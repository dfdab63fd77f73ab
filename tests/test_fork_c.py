"""A fork made in C, past Python's own hooks, as uWSGI makes it: the kernel tells all the same.

The matrix has what such a child may do (`tests/matrix`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
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


def touch(parent: Watched) -> set[int]:
    """Whatever a child may do with what it inherited, and work of its own at full size."""
    with pytest.raises(forksafe.OperationalError, match=f"process {os.getpid()}"):
        parent.connection.cursor()
    parent.connection.rollback()
    parent.connection.close()
    lent = [parent.pool.connect() for _ in range(parent.pool.stats()["max_size"])]
    sessions = {connection.thread_id() for connection in lent}
    for connection in lent:
        connection.close()
    parent.pool.close()
    parent.drop()
    return sessions
