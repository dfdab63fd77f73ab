"""Celery's worker with Django: prefork and solo, and its own ideas of what to close and when."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.managers import stall
from tests.managers.answers import Answer
from tests.managers.broker import Sender
from tests.managers.manager import Manage, Manager
from tests.managers.master import Master, is_alive
from tests.managers.served import WAYS
from tests.watched import Witness

pytest_plugins = ("tests.managers.fixtures",)

CELERY = [
    *(sys.executable, "-m", "celery", "--app=tests.managers.tasks", "worker"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"),
]

Work = Callable[..., contextlib.AbstractContextManager["Worker"]]


class Worker:
    """A Celery worker, as a test sees it."""

    def __init__(self, manager: Manager, witness: Witness, sender: Sender) -> None:
        self.manager, self.witness, self.sender = manager, witness, sender
        # After its first task, a worker has done all that it does before.
        self.first = self.echo(1)
        self.master = Master(manager, witness)

    def echo(self, count: int) -> list[dict[str, Any]]:
        """The reports of so many tasks more, each of which had its own token back."""
        done = len(self.manager.reports("echo"))
        tokens = [secrets.token_hex(8) for _ in range(count)]
        for n, token in enumerate(tokens):
            self.sender.send("echo", WAYS[n % len(WAYS)], token)
        return self._wait(done, tokens)

    def _wait(self, done: int, tokens: list[str]) -> list[dict[str, Any]]:
        self.manager.wait_until(
            lambda: len(self.manager.reports("echo")) >= done + len(tokens), "the tasks' ends"
        )
        reports = self.manager.reports("echo")[done:]
        assert {report["token"] for report in reports} == set(tokens)
        return reports

    def look_at_files(self) -> tuple[set[int], set[int]]:
        """The descriptors of the worker's files, and those of them that are not theirs any more."""
        done = len(self.manager.reports("files"))
        self.sender.send("look at files")
        self.manager.wait_until(lambda: len(self.manager.reports("files")) > done, "a look")
        files = self.manager.reports("files")[-1]
        return set(files["numbers"]), set(files["spoilt"])


@pytest.fixture
def work(manage: Manage, witness: Witness, tmp_path: Path) -> Work:
    """`work(*options)`: a Worker, for a `with`."""

    @contextlib.contextmanager
    def run(*options: str) -> Iterator[Worker]:
        sender = Sender(tmp_path)
        with manage([*CELERY, *options]) as manager:
            yield Worker(manager, witness, sender)

    return run


def answers(reports: list[dict[str, Any]]) -> set[Answer]:
    return {Answer(report["pid"], report["session"]) for report in reports}


def assert_one_pool_each(reports: list[dict[str, Any]]) -> None:
    """Each child has had one pool for all its tasks, which lent its one connection to each."""
    for pid in {report["pid"] for report in reports}:
        asked = 0
        for report in (report for report in reports if report["pid"] == pid):
            asked += report["way"] == "django"
            pool = report["pool"]
            counted = (pool["pid"], pool["requests_num"], pool["connections_num"])
            assert counted == (pid, asked, min(asked, 1))


def test_children_that_retire_keep_their_pool_at_each_task_and_leave_the_parent_alone(
    work: Work,
) -> None:
    with work("--pool=prefork", "--concurrency=2", "--max-tasks-per-child=12") as worker:
        reports = worker.echo(60)
        children = {report["pid"] for report in reports}
        assert len(children) >= 4
        assert worker.master.pid not in children
        assert_one_pool_each(worker.first + reports)
        worker.master.assert_alone(answers(reports))
        worker.master.wait_until_nothing_is_left(answers(worker.first + reports))
        worker.master.assert_undisturbed()
        worker.master.assert_commits()


def test_a_child_killed_in_mid_query_leaves_parent_and_siblings_alone(work: Work) -> None:
    with work("--pool=prefork", "--concurrency=3") as worker:
        lock = stall.take_lock(worker.witness, "django")
        worker.sender.send("stall", "django", lock)
        killed = stall.wait_for_worker(worker.manager, worker.witness, "django")
        before = worker.echo(12)
        os.kill(killed.pid, signal.SIGKILL)
        worker.manager.wait_until(lambda: not is_alive(killed.pid), "its end")
        after = worker.echo(24)
        worker.witness.release_locks()
        siblings = {report["pid"] for report in before}
        assert killed.pid not in siblings
        assert all(map(is_alive, siblings))
        answered = {*answers(worker.first + before + after), killed}
        worker.master.assert_alone(answered)
        worker.master.wait_until_nothing_is_left(answered)
        worker.master.assert_undisturbed()
        gone = {answer.session for answer in answered if answer.pid == killed.pid}
        assert worker.master.aborted() <= len(gone)
        worker.master.assert_commits()


def test_solo_keeps_its_pool_at_each_task_and_closes_no_unrelated_file(work: Work) -> None:
    with work("--pool=solo") as worker:
        # Celery has closed the descriptors that Django's connections had in this same process,
        # and files of the application have got their numbers.
        [connected] = worker.manager.reports("connected")
        numbers, _ = worker.look_at_files()
        assert numbers >= set(connected["numbers"])
        worker.echo(8)
        reports = worker.echo(40)
        assert worker.look_at_files() == (numbers, set())
        assert {report["pid"] for report in reports} == {worker.master.pid}
        pools = [report["pool"] for report in reports]
        assert {(pool["connections_num"], pool["forks_noticed"]) for pool in pools} == {(2, 0)}
        assert pools[-1]["requests_num"] - pools[0]["requests_num"] >= 9
        worker.master.assert_commits()
        assert worker.master.aborted() == 0
