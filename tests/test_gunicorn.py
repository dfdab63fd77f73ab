"""gunicorn --preload: workers come and go, and neither a request nor the master notices."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.managers.clients import echo
from tests.managers.master import is_alive
from tests.managers.served import Serve

pytest_plugins = ("tests.managers.fixtures",)

GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "tests.managers.site:application"),
    # A worker that takes longer to end is told so twice, and dies of it without a goodbye.
    *("--preload", "--bind", "{socket}", "--no-control-socket", "--graceful-timeout", "25"),
]
SYNC = ["--worker-class=sync", "--workers=3"]
THREADS = ["--worker-class=gthread", "--workers=2", "--threads=3"]

both_kinds = pytest.mark.parametrize(
    ("kind", "transport"), [(SYNC, "tcp"), (THREADS, "tls")], ids=["sync", "gthread"]
)


@both_kinds
def test_a_reload_under_load_costs_no_request_and_no_session(
    serve: Serve, kind: list[str], transport: str
) -> None:
    with serve([*GUNICORN, *kind], transport) as site:
        with site.clients() as clients:
            clients.wait_for_answers(100)
            before = clients.pids
            os.kill(site.master.pid, signal.SIGHUP)
            clients.wait_until(lambda: not any(map(is_alive, before)), "the old workers' end")
            clients.wait_for_answers(100)
        assert clients.pids > before
        site.assert_unharmed(clients.answers)
        site.master.assert_commits()
        assert site.manager.stop() == 0
        assert site.master.wait_until_all_has_ended() == 0


@both_kinds
def test_workers_that_retire_after_so_many_requests_take_only_their_own_sessions(
    serve: Serve, kind: list[str], transport: str
) -> None:
    retiring = ["--max-requests=25", "--max-requests-jitter=5"]
    with serve([*GUNICORN, *kind, *retiring], transport) as site:
        with site.clients() as clients:
            clients.wait_until(lambda: len(clients.pids) >= 8, "several generations of workers")
        site.assert_unharmed(clients.answers)


def test_workers_killed_by_the_time_out_in_mid_query_take_only_their_own_sessions(
    serve: Serve,
) -> None:
    with serve([*GUNICORN, "--worker-class=sync", "--workers=6", "--timeout=3"]) as site:
        site.assert_a_time_out_kills_none_but_the_stalled()
        site.master.assert_commits()


def test_another_drivers_connection_would_be_found_in_two_processes(serve: Serve) -> None:
    with serve([*GUNICORN, *SYNC], usual=True) as site:
        answer = echo(site.port, "usual")
        assert (answer.pid == site.master.pid, answer.session in site.master.sessions) == (0, 1)
        with pytest.raises(AssertionError):
            site.master.assert_alone([answer])
        with pytest.raises(AssertionError):
            site.master.assert_undisturbed()
