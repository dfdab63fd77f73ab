"""A storm of forks harms nobody: see tests/storm. Its table is printed by `pytest -s`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.mariadb_server import Server
from tests.storm.counts import MUST_BE_ZERO, Counts, table
from tests.storm.plan import VARIANTS
from tests.storm.statements import check

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="reads the descriptors in /proc (Linux)"
)

ROOT = Path(__file__).resolve().parent.parent
# Parts of --storm-forks: a child of the idle storm costs more, for it shakes hands by TLS.
SHARES = {"busy": 0.5, "idle-tls": 0.2, "grandchild": 0.3}
SECONDS_PER_FORK = 0.5  # far more than one takes on a machine that does other things too

Storm = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def storm(server: Server) -> Storm:
    """`storm(*arguments, forks=100)`: a finished `python -m tests.storm`."""
    url = server.url(ssl_mode=None, unix_socket=server.unix_socket, ssl_ca=server.ca_file)

    def run(*arguments: str, forks: int = 100) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.storm", f"--forks={forks}", *arguments]
        environment = {**os.environ, "FORKSAFE_TEST_DSN": url}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that it can be ended with all that it started
        )
        try:
            stdout, stderr = process.communicate(timeout=60 + forks * SECONDS_PER_FORK)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    return run


@pytest.mark.slow
@pytest.mark.timeout(0)  # the number of forks is the caller's; the storm ends what hangs
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_storm_of_forks_harms_nobody(
    storm: Storm, server: Server, storm_forks: int, variant: str
) -> None:
    if variant == "idle-tls" and "tls" not in server.transports:
        pytest.skip("FORKSAFE_TEST_DSN offers no TLS (give ssl_ca= in it)")
    done = storm("--variant", variant, forks=max(10, round(storm_forks * SHARES[variant])))
    print(done.stdout)
    if done.returncode:
        pytest.fail(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)


def test_a_driver_that_shares_its_sockets_fails_the_storm(storm: Storm) -> None:
    done = storm("--variant", "idle-tls", "--driver", "sharing", forks=40)
    assert done.returncode == 1, done.stderr
    for name in ("unexpected", "parent_lost", "child_gained", "aborted_beyond"):
        assert shown(done.stdout, name) > 0, f"{name} in:\n{done.stdout}"


def test_children_that_do_not_end_in_time_fail_the_storm(storm: Storm) -> None:
    done = storm("--variant", "idle-tls", "--child-timeout", "0.001", forks=10)
    assert (done.returncode, shown(done.stdout, "hung")) == (1, 10), done.stdout
    assert "child.py" in done.stderr  # the stacks of what hung


def shown(text: str, name: str) -> int:
    """A count in a printed table of one column."""
    lines = [line for line in text.splitlines() if line.startswith(f"{MUST_BE_ZERO[name]} ")]
    return int(lines[0].split()[-1])


class Stranger:
    """A connection whose answers are those to somebody else's questions."""

    def cursor(self) -> Stranger:
        return self

    def __enter__(self) -> Stranger:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def execute(self, sql: str, arguments: list[object]) -> None:
        self.answer = tuple(zip(*[iter(arguments)] * 3, strict=True))

    def fetchall(self) -> tuple[object, ...]:
        return tuple(("somebody else", row, "x" * int(width)) for _, row, width in self.answer)


def test_an_answer_to_somebody_elses_question_is_counted_as_wrong() -> None:
    counts = Counts()
    check(Stranger(), "mine", random.Random(1), counts, "child_checked")
    assert (counts["child_checked"], counts.failures()) == (1, {"wrong": 1})


@pytest.mark.parametrize("name", MUST_BE_ZERO)
def test_each_count_that_must_be_zero_fails_a_storm(name: str) -> None:
    counts = Counts({"forks": 10, "hung": 0})
    assert counts.failures() == {}
    other = Counts()
    other.note(name, "why")
    counts.add(Counts.from_json(other.to_json()))
    assert (counts.failures(), counts.notes) == ({name: 1}, [f"{name}: why"])
    assert f"{MUST_BE_ZERO[name]} " in table({"busy": counts})
