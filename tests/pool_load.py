"""Pools kept busy by processes of their own, and what becomes of them while their server is away.

A test module that wants its fixture says `start = pool_load.start`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
SIZE = 8  # of each pool
THREADS = 40  # in all processes together
HANG = 30.0  # seconds in which whatever is to happen has happened

Start = Callable[..., "Load"]


class Failure(NamedTuple):
    """A call that got no answer; seconds, by the clock that all processes share."""

    began: float
    took: float
    kind: str
    errno: int
    text: str


@dataclass
class Report:
    """How the callers of one process fared."""

    answers: list[float]  # when
    failures: list[Failure]
    down_for: list[float | None]  # as stats() said, twenty times a second
    events: list[str]  # the kinds of those about the server
    stats: dict[str, Any]


class Load:
    """Processes of `pool_callers`."""

    def __init__(self, processes: int, options: dict[str, Any]) -> None:
        threads = str(THREADS // processes)
        command = [sys.executable, "-m", "tests.pool_callers", threads, json.dumps(options)]
        self.processes = [
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(processes)
        ]
        for process in self.processes:
            assert self._line_of(process) == "busy\n"

    def wait_for_answers(self) -> None:
        """Until each has had more of them than by now."""
        deadline = time.monotonic() + HANG
        for process in self.processes:
            answers = self._answers_of(process)
            while self._answers_of(process) == answers:
                assert time.monotonic() < deadline, "no answers"
                time.sleep(0.05)

    def end(self) -> list[Report]:
        """End them; what each tells."""
        return [self._ended(process) for process in self.processes]

    def _answers_of(self, process: subprocess.Popen[str]) -> int:
        assert process.stdin is not None
        print("answers?", file=process.stdin, flush=True)
        return int(self._line_of(process))

    def _line_of(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    def _ended(self, process: subprocess.Popen[str]) -> Report:
        told, _ = process.communicate(timeout=3 * HANG)
        assert process.returncode == 0
        report = Report(**json.loads(told.splitlines()[-1]))
        report.failures = [Failure(*failure) for failure in report.failures]
        return report

    def kill(self) -> None:
        """End what a test that failed has left."""
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def start() -> Iterator[Start]:
    """`start(processes, **options)`: threads that keep pools of SIZE busy."""
    loads = []

    def start(processes: int, **options: Any) -> Load:
        loads.append(Load(processes, {"max_size": SIZE, "timeout": HANG, **options}))
        return loads[-1]

    yield start
    for load in loads:
        load.kill()


@dataclass
class Outage:
    """What happened before, while and after a server was away."""

    began: float
    ended: float
    arrivals: list[float]  # attempts to connect
    reports: list[Report]

    @property
    def answers(self) -> list[float]:
        """When callers got answers."""
        return [moment for report in self.reports for moment in report.answers]

    @property
    def failures(self) -> list[Failure]:
        """The calls that got none."""
        return [failure for report in self.reports for failure in report.failures]

    @property
    def over(self) -> float:
        """When the last of the processes had its first answer after the outage."""
        return max(min(self._after(report.answers)) for report in self.reports)

    def _after(self, moments: Iterable[float]) -> list[float]:
        return [moment for moment in moments if moment > self.ended]

    def attempts(self) -> tuple[int, int, int]:
        """How many before, from its beginning until all had answers again, and from then on."""
        before = sum(moment < self.began for moment in self.arrivals)
        after = sum(moment >= self.over for moment in self.arrivals)
        return before, len(self.arrivals) - before - after, after

    def table(self) -> str:
        """Second by second; and how long the failed calls took."""
        counted = {
            "attempts to connect": self.arrivals,
            "answers": self.answers,
            "failures": [failure.began for failure in self.failures],
        }
        seconds = range(-1, int(max(self.answers) - self.began) + 1)
        rows: list[tuple[str, Iterable[int]]] = [("second since it went", seconds)]
        for name, moments in counted.items():
            found = Counter(int((moment - self.began) // 1) for moment in moments)
            rows.append((name, [found[second] for second in seconds]))
        lines = [f"{name:22}" + "".join(f"{cell:6}" for cell in cells) for name, cells in rows]
        offsets = [f"{(moment - self.ended) * 1e3:.0f}" for moment in self._after(self.arrivals)]
        return "\n".join(
            (
                f"\n{THREADS} threads, pools of {SIZE}, processes: {len(self.reports)}; "
                f"away for {self.ended - self.began:.2f} s, "
                f"answers for all {self.over - self.ended:.2f} s after that",
                *lines,
                f"attempts after it was back, in ms: {', '.join(offsets)}",
                *self._latencies(),
            )
        )

    def _latencies(self) -> Iterator[str]:
        failures = sorted(self.failures, key=lambda failure: (failure.errno, failure.took))
        for errno, group in itertools.groupby(failures, key=lambda failure: failure.errno):
            took = [failure.took * 1e3 for failure in group]
            half, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
            yield (
                f"{errno}: {len(took)} calls failed, after {half:.2f} ms (half of them), "
                f"{p99:.1f} ms (99 of 100), {took[-1]:.1f} ms (all)"
            )
