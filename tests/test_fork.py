"""A child never touches a socket that its parent opened, whatever it does and however it leaves."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.watched import STATES, Watched

watch, witness = watched.watch, watched.witness

InChild = Callable[..., Any]
Watch = Callable[..., Watched]


def closes(parent: Watched) -> None:
    if parent.connection:
        parent.connection.close()


def rolls_back(parent: Watched) -> None:
    if parent.connection:
        parent.connection.rollback()


def commits(parent: Watched) -> None:
    if parent.connection:
        with pytest.raises(forksafe.OperationalError):
            parent.connection.commit()


def collects(parent: Watched) -> None:
    dropped = [weakref.ref(each) for each in (parent.connection, parent.pool) if each]
    parent.drop()
    gc.collect()
    assert [reference() for reference in dropped] == [None] * len(dropped)


def queries_it(parent: Watched) -> None:
    if parent.connection:
        with pytest.raises(forksafe.OperationalError):
            parent.connection.cursor()
    if parent.cursor:
        with pytest.raises(forksafe.OperationalError):
            parent.cursor.execute("SELECT 4")
        with pytest.raises(forksafe.OperationalError):
            parent.cursor.nextset()


def queries_by_the_pool(parent: Watched) -> None:
    with parent.pool.connection() as own, own.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() != (parent.session,)
    parent.pool.close()


def closes_the_pool(parent: Watched) -> None:
    parent.pool.close()


def forks_again(parent: Watched) -> None:
    for act in (closes, queries_it, queries_by_the_pool, collects):
        fork.in_child(act, parent)


ACTIONS = (
    closes,
    rolls_back,
    commits,
    collects,
    queries_it,
    queries_by_the_pool,
    closes_the_pool,
    forks_again,
)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("leave", fork.WAYS_TO_LEAVE)
def test_a_parent_goes_on_after_a_child_has_left(
    watch: Watch, in_child: InChild, transport: str, state: str, leave: str
) -> None:
    parent = watch(state, transport)
    in_child(os.getpid, leave=leave)
    parent.assert_undisturbed()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", ACTIONS)
def test_a_parent_goes_on_whatever_its_child_did(
    watch: Watch, in_child: InChild, transport: str, state: str, act: Callable[[Watched], None]
) -> None:
    parent = watch(state, transport)
    in_child(act, parent)
    parent.assert_undisturbed()
