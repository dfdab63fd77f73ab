"""The scenario, played once for each column: a server of its own, two phases, the same load."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from examples.demo import pace
from examples.demo.column import Column
from examples.demo.fleet import DidNotStart, end_of, fleet
from examples.demo.load import Clients
from examples.demo.progress import Progress
from examples.demo.tally import HTTP, Tally
from scripts.throwaway_mariadb import ThrowawayMariaDB

ROOT = Path(__file__).resolve().parents[2]


class CannotPrepare(Exception):
    """The driver could not even migrate an empty database; the text is what Django said."""


def play(column: Column) -> Tally:
    """Measure one column. Raises CannotPrepare, before all else, if the driver does not fit."""
    tally = Tally()
    progress = Progress(column.title, tally)
    progress.enter("MariaDB starts, Django migrates")
    with (
        ThrowawayMariaDB(f"--wait-timeout={pace.WAIT_TIMEOUT}", tls=False) as server,
        _directory() as run,
    ):
        environment = _environment(column, server, run)
        _prepare(environment)
        before = server.status("Connections")
        for phase in pace.PHASES:
            _play_phase(phase, environment, run / "gunicorn.log", tally, progress)
        # Less one: asking for the counter opens a session too.
        tally.sessions_opened = server.status("Connections") - before - 1
        tally.rows_stored = int(_count(server, "site_entry"))
        tally.log = end_of(run / "gunicorn.log")
        tally.facts = _read_facts(Path(environment["DEMO_REPORT"]))
    tally.seconds = time.monotonic() - progress.began
    progress.leave()
    return tally


def _play_phase(
    phase: pace.Phase, environment: dict[str, str], log: Path, tally: Tally, progress: Progress
) -> None:
    progress.enter(f"{phase.title}, gunicorn starts")
    asked_before = tally.asked
    try:
        with fleet({**environment, **phase.environment()}, log) as port:
            _load(phase, Clients(port, phase.shift, tally), progress)
    except DidNotStart as reason:
        for _ in range(asked_before + phase.planned - tally.asked):
            tally.count(HTTP, str(reason))


def _load(phase: pace.Phase, clients: Clients, progress: Progress) -> None:
    for n in range(1, pace.BURSTS + 1):
        progress.enter(f"{phase.title}, burst {n}/{pace.BURSTS}")
        if n <= pace.JOBS:
            clients.start_job()
        _wait(clients.burst(), progress)
        if n < pace.BURSTS:
            progress.enter(f"{phase.title}, {pace.NAP} s of sleep")
            time.sleep(pace.NAP)
    progress.enter(f"{phase.title}, gunicorn ends")


def _wait(clients: list[threading.Thread], progress: Progress) -> None:
    for client in clients:
        while client.is_alive():
            client.join(0.2)
            progress.show()


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="forksafe-demo-") as run:
        yield Path(run)


def _environment(column: Column, server: ThrowawayMariaDB, run: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "examples.demo.site.settings",
        "DEMO_DRIVER": column.driver,
        "DEMO_HOST": server.host,
        "DEMO_PORT": str(server.port),
        "DEMO_USER": server.user,
        "DEMO_PASSWORD": server.password,
        "DEMO_DATABASE": server.database,
        "DEMO_REPORT": str(run / "report.jsonl"),
        "DEMO_NAP": str(pace.NAP),
    }


def _prepare(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo.site.prepare", str(pace.TICKETS)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise CannotPrepare(done.stderr.strip())


def _count(server: ThrowawayMariaDB, table: str) -> str:
    return server.execute_as_root(f"SELECT COUNT(*) FROM {server.database}.{table}")[0][0] or "0"


def _read_facts(report: Path) -> list[dict[str, object]]:
    # No file: gunicorn never got as far as to import the site.
    lines = report.read_text().splitlines() if report.exists() else []
    return [json.loads(line) for line in lines]
