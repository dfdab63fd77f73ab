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
from tests.conformance.suite import Command, Plan, Suite

GRACE = 10.0  # seconds, for a suite that is told to stop

OUTCOMES = KEPT / "outcomes"


def run(suite: Suite, plan: Plan, server: Server) -> Outcome:
    """Run it, save how each test ended, and keep what it printed.

    Raises RuntimeError when source or environment cannot be had.
    """
    environment = Environment(
        suite.name, suite.requirements, python=plan.python, wheel=plan.wheel
    ).ready()
    # By the pip of the environment: a project's source may refuse another Python.
    source = fetch(suite.source, str(environment.python))
    suite.prepare(server, plan)
    OUTCOMES.mkdir(parents=True, exist_ok=True)
    lines = OUTCOMES / f"{plan.key}.jsonl"
    lines.unlink(missing_ok=True)
    outcome = Outcome(_facts(suite, plan, server, environment))
    started = time.monotonic()
    command = suite.command(plan, server, source, lines)
    outcome.finished = _finishes(command, environment, log_of(plan), suite.limit)
    outcome.seconds = round(time.monotonic() - started, 1)
    outcome.read_lines(lines)
    outcome.save(saved(plan))
    return outcome


def log_of(plan: Plan) -> Path:
    """What the last run of this plan printed."""
    return OUTCOMES / f"{plan.key}.log"


def saved(plan: Plan) -> Path:
    """The outcome of the last run of this plan."""
    return OUTCOMES / f"{plan.key}.json"


def _finishes(command: Command, environment: Environment, log: Path, limit: float) -> bool:
    """Run to the end; False when it had to be stopped, or ended by a signal."""
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
            return process.wait(limit) >= 0
        except subprocess.TimeoutExpired:
            return False
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
