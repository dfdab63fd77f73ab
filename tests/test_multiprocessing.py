"""multiprocessing.Pool and ProcessPoolExecutor, by fork, spawn and forkserver."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.managers import stall
from tests.managers.answers import Answer
from tests.managers.manager import Manage, Manager
from tests.managers.master import Master, is_alive
from tests.watched import Witness

pytest_plugins = ("tests.managers.fixtures",)

HIRE = [sys.executable, "-m", "tests.managers.hire"]

each_method = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def start(manager: Manager, witness: Witness) -> tuple[Master, Answer]:
    """When all tasks but one have been answered; that one is in the middle of a statement."""
    stall.take_lock(witness, "django")
    manager.wait_until(lambda: manager.reports("import"), "the parent's start")
    # The parent goes on with what else it has opened: only its transaction must be left alone.
    master = Master(manager, witness, {**manager.reports("import")[0], "sessions": {}})
    manager.wait_until(lambda: manager.reports("answered"), "the answers")
    return master, stall.wait_for_worker(manager, witness, "django")


def assert_unharmed(master: Master, killed: Answer) -> set[int]:
    """Every answer was right and on a session of its own process; the processes that answered."""
    master.manager.wait_until(lambda: master.manager.reports("done"), "the parent's end")
    assert not is_alive(killed.pid)
    master.witness.release_locks()
    reports = master.manager.reports("echo")
    assert all(report["right"] for report in reports)
    answers = {killed, *(Answer(report["pid"], report["session"]) for report in reports)}
    master.assert_alone(answers)
    master.wait_until_nothing_is_left(answers)
    master.assert_undisturbed()
    master.assert_commits()
    assert "panicked" not in master.manager.output()
    return {answer.pid for answer in answers} - {master.pid}


@each_method
def test_a_pool_whose_workers_retire_and_are_terminated_in_mid_query(
    manage: Manage, witness: Witness, tmp_path: Path, method: str
) -> None:
    with manage([*HIRE, "pool", method]) as manager:
        master, stalled = start(manager, witness)
        (tmp_path / "go").touch()
        workers = assert_unharmed(master, stalled)
        assert len(workers) >= 3  # of four tasks each


@each_method
def test_an_executor_whose_worker_is_killed_in_mid_query(
    manage: Manage, witness: Witness, method: str
) -> None:
    with manage([*HIRE, "executor", method]) as manager:
        master, stalled = start(manager, witness)
        os.kill(stalled.pid, signal.SIGKILL)
        workers = assert_unharmed(master, stalled)
        assert len(workers) >= 2  # the one that was killed, and its successor
