"""What a forked child finds: a wrapper without a connection and without a transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


class ProcessBound:
    """An attribute that goes with the connection, and so belongs to one process.

    In a forked child the first touch of any of them makes the wrapper forget what it inherited.
    No hook is needed, and none is missed where a C program forks (uWSGI).
    """

    def __init__(self, fresh: Callable[[], Any]) -> None:
        self.fresh = fresh
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, wrapper: ForkAwareWrapper | None, owner: type) -> Any:
        if wrapper is None:
            return self
        return _state(wrapper)[self.name]

    def __set__(self, wrapper: ForkAwareWrapper, value: Any) -> None:
        _state(wrapper)[self.name] = value


class ForkAwareWrapper(BaseDatabaseWrapper):
    """A wrapper that knows when its connection was opened by another process.

    The child's wrapper has no connection, is in no atomic block and has none of the parent's
    on_commit() hooks. Its first statement opens a connection of its own.
    """

    connection = ProcessBound(lambda: None)
    autocommit = ProcessBound(bool)
    in_atomic_block = ProcessBound(bool)
    savepoint_state = ProcessBound(int)
    savepoint_ids = ProcessBound(list)
    atomic_blocks = ProcessBound(list)
    commit_on_exit = ProcessBound(lambda: True)
    needs_rollback = ProcessBound(bool)
    rollback_exc = ProcessBound(lambda: None)
    close_at = ProcessBound(lambda: None)
    closed_in_transaction = ProcessBound(bool)
    errors_occurred = ProcessBound(bool)
    health_check_enabled = ProcessBound(bool)
    health_check_done = ProcessBound(bool)
    run_on_commit = ProcessBound(list)
    run_commit_hooks_on_set_autocommit_on = ProcessBound(bool)
    # A thread of the parent may have held it at the fork.
    _thread_sharing_lock = ProcessBound(threading.Lock)


def _state(wrapper: ForkAwareWrapper) -> dict[str, Any]:
    """The wrapper's attributes, as they are in this process."""
    state = wrapper.__dict__
    held = state.get("connection")
    # `is True`, so that a test's stand-in for a connection is not taken for an inherited one.
    if held is not None and held.inherited is True:
        _forget(state)
    return state


def _forget(state: dict[str, Any]) -> None:
    in_parents_block = state["in_atomic_block"]
    for name, attribute in vars(ForkAwareWrapper).items():
        if isinstance(attribute, ProcessBound):
            state[name] = attribute.fresh()
    # The child still has to leave the `with atomic()` blocks that its parent entered. This makes
    # them do nothing, where they would otherwise connect only to turn autocommit on.
    state["closed_in_transaction"] = in_parents_block
