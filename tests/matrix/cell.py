"""How a cell is run."""

from __future__ import annotations

import contextlib
import os

from tests.matrix.cells import Cell
from tests.matrix.stage import Stage
from tests.matrix.state import State
from tests.matrix.way import run_child


def run(cell: Cell, stage: Stage) -> bool:
    """Enter the state, fork, and ask the parent; raises AssertionError if it was disturbed.

    True: this is a child that has run off its end.
    """
    state, owner = cell.state(stage, cell.transport), os.getpid()
    with stage.nothing_left():
        try:
            state.enter()
            _fork(cell, state)
            if os.getpid() != owner:
                return True
            state.verify()
        except BaseException:
            if os.getpid() == owner:
                with contextlib.suppress(Exception):  # it would hide what failed first
                    state.leave()
            raise
        state.leave()
    return False


def _fork(cell: Cell, state: State) -> None:
    """Have one child after the other; returns in a child too, if that runs off its end."""
    parents, owner = state.witness.sessions(), os.getpid()
    for job in cell.act.jobs(cell.way):
        state.stage.flush()
        expected = cell.way.exit_codes.get(cell.act.name, 0)
        own = run_child(state, job, cell.way, cell.act.leave, expected)
        if os.getpid() != owner:
            return
        assert not own & parents, "a child got a session of its parent"
