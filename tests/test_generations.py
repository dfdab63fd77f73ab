"""A long chain of generations, and a parent of very many children, stay flat.

Flat are the descriptors of each process, and the server's sessions of those that live: what a
process had is gone when it has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.mariadb_server import Server
from tests import watched
from tests.storm.judge import at_least
from tests.watched import Witness

witness = watched.witness

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/fd").is_dir(), reason="reads the descriptors in /proc (Linux)"
    ),
]

ROOT = Path(__file__).resolve().parent.parent
GENERATIONS = 200
EACH = 2  # sessions of each process
UNNOTICED = 12  # sessions that have ended and that the server may not have noticed yet

Run = Callable[[str, int], list[tuple[int, int, int]]]


@pytest.fixture
def run(server: Server) -> Run:
    """`run(way, count)`: the samples of a program of storm/generations.py, which must not fail."""

    def run(way: str, count: int) -> list[tuple[int, int, int]]:
        command = [sys.executable, "-m", "tests.storm.generations", way, str(count)]
        environment = {**os.environ, "FORKSAFE_TEST_URL": server.url()}
        limit = 60 + count * 0.5
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(autouse=True)
def nothing_left(witness: Witness) -> Iterator[None]:
    """Afterwards no session is left over."""
    yield
    assert left_after_a_while(witness) == set()


def left_after_a_while(witness: Witness) -> set[int]:
    """The sessions that the server still has when it must have noticed that all have ended."""
    deadline = time.monotonic() + 20
    while (left := witness.sessions()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def test_a_chain_whose_generations_wait_for_those_after_them(run: Run, witness: Witness) -> None:
    aborted = witness.aborted_clients()
    samples = run("waiting", GENERATIONS)
    # All live until the last has ended: each has two sessions, the first and the witness too.
    assert [(number, sessions) for number, _, sessions in samples] == [
        (number, EACH * (number + 1) + 1) for number in range(1, GENERATIONS + 1)
    ]
    assert {descriptors for _, descriptors, _ in samples} == {samples[0][1]}
    assert witness.aborted_clients() == aborted


def test_a_chain_whose_generations_end_when_they_have_forked(run: Run, witness: Witness) -> None:
    aborted = witness.aborted_clients()
    samples = run("handing-over", GENERATIONS)
    assert [number for number, _, _ in samples] == list(range(1, GENERATIONS + 1))
    assert {descriptors for _, descriptors, _ in samples} == {samples[0][1]}
    assert max(sessions for _, _, sessions in samples) <= 3 * EACH + 1 + UNNOTICED
    assert witness.aborted_clients() == aborted


@pytest.mark.timeout(0)  # the number of children is the caller's; a program that hangs is ended
def test_a_parent_of_very_many_children(run: Run, witness: Witness, storm_forks: int) -> None:
    children = max(50, storm_forks // 2)
    aborted = witness.aborted_clients()
    samples = run("children", children)
    assert len(samples) >= 50
    assert {descriptors for _, descriptors, _ in samples} == {samples[0][1]}
    assert max(sessions for _, _, sessions in samples) <= EACH + 1 + UNNOTICED
    assert left_after_a_while(witness) == set()
    left_open = EACH * (children // 2)
    assert at_least(left_open) <= witness.aborted_clients() - aborted <= left_open
