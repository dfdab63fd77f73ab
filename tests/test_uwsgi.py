"""uWSGI's master loads the application and forks in C: Python's own at-fork hooks do not run."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.managers.master import Master, is_alive
from tests.managers.served import Serve

pytest_plugins = ("tests.managers.fixtures",)

BIN = Path(sys.executable).parent
INSTALL = "run scripts/uwsgi-install.sh (it needs a C compiler and Python's headers)"


def uwsgi(*options: str) -> list[str]:
    """The command. Skips the test where there is no uWSGI with this very Python in it."""
    program = shutil.which("uwsgi", path=os.pathsep.join((str(BIN), os.environ.get("PATH", ""))))
    if program is None:
        pytest.skip(f"uWSGI is not installed: {INSTALL}")
    told = subprocess.run([program, "--python-version"], capture_output=True, text=True, timeout=30)
    if told.stdout.strip() != platform.python_version():
        pytest.skip(f"{program} is built for Python {told.stdout.strip() or '?'}: {INSTALL}")
    home = ["--home", sys.prefix] if sys.prefix != sys.base_prefix else []
    return [
        *(program, "--master", "--module", "tests.managers.site:application", "--need-app"),
        *("--http-socket", "{socket}", "--die-on-term", "--disable-logging", *home, *options),
    ]


PLAIN = ("--processes=4",)
# Threads in the workers, and one in the master that goes on beside its forks. A worker that ends
# has its threads cancelled: what these held then ends without a goodbye.
THREADS = ("--processes=2", "--enable-threads", "--threads=3")

both_kinds = pytest.mark.parametrize(
    ("kind", "transport"), [(PLAIN, "tcp"), (THREADS, "tls")], ids=["processes", "threads"]
)


@both_kinds
def test_a_reload_of_the_workers_under_load_costs_no_request_and_no_session(
    serve: Serve, tmp_path: Path, kind: tuple[str, ...], transport: str
) -> None:
    fifo = tmp_path / "fifo"
    command = uwsgi(*kind, "--master-fifo", str(fifo))
    with serve(command, transport, thread=kind is THREADS) as site:
        with site.clients() as clients:
            clients.wait_for_answers(100)
            before = clients.pids
            fifo.write_text("w")
            clients.wait_until(lambda: not any(map(is_alive, before)), "the old workers' end")
            clients.wait_for_answers(100)
        assert clients.pids > before
        site.assert_unharmed(clients.answers, before if kind is THREADS else ())
        if kind is THREADS:
            site.master.assert_commits()


def test_a_reload_by_signal_brings_a_new_application_in_the_same_process(serve: Serve) -> None:
    with serve(uwsgi(*PLAIN), "socket") as site:
        old = site.master
        with site.clients() as clients:
            clients.wait_for_answers(100)
            before = clients.pids
            os.kill(old.pid, signal.SIGHUP)
            clients.wait_until(lambda: clients.pids > before, "answers of new workers")
            clients.wait_for_answers(100)
        new = Master(site.manager, site.witness)
        new.others = old.others  # what the old application had opened must end
        assert (new.pid, new.sessions & old.sessions) == (old.pid, set())
        new.assert_alone(clients.answers)
        new.wait_until_nothing_is_left(clients.answers)
        new.assert_undisturbed()


@both_kinds
def test_workers_that_retire_after_so_many_requests_take_only_their_own_sessions(
    serve: Serve, kind: tuple[str, ...], transport: str
) -> None:
    retiring = ("--max-requests=25", "--max-requests-delta=5", "--min-worker-lifetime=0")
    with serve(uwsgi(*kind, *retiring), transport) as site:
        with site.clients() as clients:
            clients.wait_until(lambda: len(clients.pids) >= 8, "several generations of workers")
        site.assert_unharmed(clients.answers, clients.pids if kind is THREADS else ())


def test_workers_killed_in_mid_query_take_only_their_own_sessions(serve: Serve) -> None:
    with serve(uwsgi("--processes=6", "--harakiri=3")) as site:
        site.assert_a_time_out_kills_none_but_the_stalled()
