"""One suite, run once."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import time
from pathlib import Path

from scripts.mariadb_server import Server
from tests.conformance import KEPT
from tests.conformance.environment import Environment
from tests.conformance.outcome import Outcome
from tests.conformance.sources import fetch
from tests.conformance.suite import THEIRS, Command, Plan, Suite

GRACE = 10.0  # seconds, for a suite that is told to stop

OUTCOMES = KEPT / "outcomes"


def run(suite: Suite, plan: Plan, server: Server) -> Outcome:
    """Run it, save how each test ended, and keep what it printed.

    Raises RuntimeError when source, environment or driver cannot be had, or `prepare` refuses:
    NotToBeHadError, which is one, where the machine may well be without it.
    """
    # Suites of one source share it.
    name = suite.source.replace("==", "-")
    environment = Environment(name, suite.requirements, python=plan.python, wheel=plan.wheel).ready(
        mysqlclient=plan.driver == THEIRS
    )
    # By the pip of the environment: a project's source may refuse another Python.
    source = fetch(suite.source, str(environment.python), suite.debian)
    suite.prepare(server, plan)
    OUTCOMES.mkdir(parents=True, exist_ok=True)
    lines = OUTCOMES / f"{plan.key}.jsonl"
    lines.unlink(missing_ok=True)
    outcome = Outcome(_facts(suite, plan, server, environment))
    started = time.monotonic()
    command = suite.command(plan, server, source, lines)
    code = _exit_code(command, environment, log_of(plan), suite.limit)
    outcome.seconds = round(time.monotonic() - started, 1)
    outcome.read_lines(lines)
    outcome.finished = _finished(code, outcome) and len(outcome.ends) >= suite.fewest(plan)
    outcome.save(saved(plan))
    return outcome


def log_of(plan: Plan) -> Path:
    """What the last run of this plan printed."""
    return OUTCOMES / f"{plan.key}.log"


def saved(plan: Plan) -> Path:
    """The outcome of the last run of this plan."""
    return OUTCOMES / f"{plan.key}.json"


def _finished(code: int | None, outcome: Outcome) -> bool:
    """Whether a runner came to its end.

    With 1 it says that tests have failed. One that dies with a traceback ends so too, and where no
    test has failed, that is it. Other codes, such as pytest's from 2 to 5, tell of a broken run.
    """
    return code == 0 or (code == 1 and bool(outcome.bad()))


def _exit_code(command: Command, environment: Environment, log: Path, limit: float) -> int | None:
    """Run it; None when it had to be stopped, and less than 0 when a signal has ended it."""
    with log.open("w") as printed:
        process = subprocess.Popen(
            [str(environment.python), *command.arguments],
            cwd=command.directory,
            env={**_inherited(), **command.variables},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            # A group of its own, so that workers of the suite can be ended with it.
            start_new_session=True,
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(GRACE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _inherited() -> dict[str, str]:
    """The variables of this process, without those that name other interpreters' packages."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in left_out}


def _facts(suite: Suite, plan: Plan, server: Server, environment: Environment) -> dict[str, str]:
    return {
        "suite": suite.name,
        "selection": " ".join(plan.labels) or ("core" if plan.core else "whole"),
        "source": suite.source.replace("==", " "),
        "driver": f"{plan.driver} {environment.version_of(plan.driver) or ''}".strip(),
        "pool": "on" if plan.pool else "off",
        "transport": plan.transport,
        "server": _server_name(server),
        "python": environment.version_of_python(),
        "date": datetime.date.today().isoformat(),
    }


def _server_name(server: Server) -> str:
    version = server.execute_as_root("SELECT VERSION()")[0][0] or ""
    number = version.partition("-")[0]
    return f"MariaDB {number}" if "mariadb" in version.lower() else f"MySQL {number}"
