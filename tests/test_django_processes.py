"""Django's own processes: runserver's autoreloader, and `test --parallel`."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.managers.answers import Answer, opened
from tests.managers.clients import Clients, Wrong, echo
from tests.managers.manager import Manage, Manager, wait_until
from tests.managers.master import Master, is_alive
from tests.managers.served import WAYS
from tests.watched import Witness

pytest_plugins = ("tests.managers.fixtures",)

DJANGO = [sys.executable, "-m", "django"]

RELOADED = """
from tests.managers.settings import *
INSTALLED_APPS = ["tests.managers"]
"""


class Runserver:
    """A project under `manage.py runserver`, whose settings are a file that the test touches."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.wait_for_another(0)

    def wait_for_another(self, pid: int) -> None:
        """Until a process with another `pid` serves, on a port of its own choice."""
        self.manager.wait_until(lambda: self._served_by() not in (0, pid), "an answer")

    def answers(self, count: int = 40) -> set[Answer]:
        """Right answers, by every way."""
        with Clients(self.port, WAYS) as clients:
            clients.wait_for_answers(count)
        return set(clients.answers)

    def _served_by(self) -> int:
        ports = re.findall(r"server at http://127\.0\.0\.1:(\d+)/", self.manager.output())
        if not ports:
            return 0
        self.port = int(ports[-1])
        with contextlib.suppress(OSError, Wrong):
            return echo(self.port, "pool").pid
        return 0


def test_the_autoreloader_ends_its_child_and_keeps_its_own_sessions(
    manage: Manage, witness: Witness, tmp_path: Path
) -> None:
    settings = tmp_path / "reloaded.py"
    settings.write_text(RELOADED)
    variables = {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "reloaded"}
    with manage([*DJANGO, "runserver", "127.0.0.1:0"], environment=variables) as manager:
        site = Runserver(manager)
        reloader, first = manager.reports("import")
        master = Master(manager, witness, reloader)
        before = opened(first) | site.answers()
        touch_until(lambda: not is_alive(first["pid"]), settings)
        site.wait_for_another(first["pid"])
        _, _, second = manager.reports("import")
        after = opened(second) | site.answers()
        assert [{answer.pid for answer in told} for told in (before, after)] == [
            {first["pid"]},
            {second["pid"]},
        ]
        master.assert_alone(before | after)
        master.wait_until_nothing_is_left(before | after)
        master.assert_undisturbed()
        master.assert_commits()


def touch_until(condition: Callable[[], bool], path: Path) -> None:
    """Touch a file until that has been noticed; not once, as the reloader may not look yet."""
    touches = itertools.count(1)

    def touch() -> bool:
        os.utime(path, (time.time() + next(touches),) * 2)
        return condition()

    wait_until(touch, "the end of what was touched")


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["true", "false"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_parallel_test_runner_gives_each_process_its_database(
    manage: Manage, method: str, pool: str
) -> None:
    command = [*DJANGO, "test", "tests.djangosite.library", "--parallel", "2", "--noinput"]
    variables = {
        "DJANGO_SETTINGS_MODULE": "tests.managers.library",
        "MANAGED_POOL": pool,
        "MANAGED_METHOD": method,
    }
    with manage(command, environment=variables) as manager:
        code = manager.wait_until_ended()
        log = manager.output()
        assert (code, "Ran 7 tests" in log, log.count("Cloning")) == (0, True, 2), log
