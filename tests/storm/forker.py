"""Forks at full speed, a few children alive at a time, and judges how each of them ended."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from typing import NamedTuple

from tests.storm import child
from tests.storm.alarm import watch_for_a_hang
from tests.storm.counts import Counts
from tests.storm.ends import ENDS, RunsOffItsEnd, exit_code
from tests.storm.world import World


class Told(NamedTuple):
    """What a child was told."""

    number: int
    end: str
    in_main_thread: bool


class Forker:
    """The children of one storm; every choice is made before the fork."""

    def __init__(self, world: World, counts: Counts) -> None:
        self.world, self.counts = world, counts
        self.rng = random.Random(world.plan.seed_of("forks"))
        self.alive: dict[int, Told] = {}
        self.reports: dict[int, Counts] = {}
        self.unread = b""

    def fork_all(self, every_tenth: Callable[[int], None]) -> None:
        """Fork as often as planned; `every_tenth` is told how many tenths of it are done.

        A child leaves it by an error that unwinds, and by nothing else.
        """
        forks = self.world.plan.forks
        for number in range(1, forks + 1):
            watch_for_a_hang()
            while len(self.alive) >= self.world.plan.at_once:
                self._reap()
            self._fork(number)
            if number * 10 % forks < 10:
                every_tenth(number * 10 // forks)
        while self.alive:
            self._reap()
        if failed := forks - self.counts["forks"]:
            self.counts.note("silent", f"{failed} forks failed", failed)
        watch_for_a_hang()

    def _fork(self, number: int) -> None:
        told = Told(number, self.rng.choice(list(ENDS)), self.rng.random() < 0.5)
        if told.in_main_thread:
            self._fork_here(told)
            return
        self.counts["by_thread"] += 1
        thread = threading.Thread(target=self._fork_in_thread, args=(told,))
        thread.start()
        thread.join()

    def _fork_in_thread(self, told: Told) -> None:
        try:
            self._fork_here(told)
        except RunsOffItsEnd:
            return

    def _fork_here(self, told: Told) -> None:
        rng = random.Random(self.world.plan.seed_of(f"child {told.number}"))
        pid = os.fork()
        if pid == 0:
            child.live(self.world, rng, told.end, told.in_main_thread)
        self.alive[pid] = told
        self.counts["forks"] += 1

    def _reap(self) -> None:
        pid, status = os.waitpid(-1, 0)
        self._read_reports()
        told = self.alive.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        what = f"child {told.number}, {told.end}, exit code {code}"
        if report := self.reports.pop(pid, None):
            self.counts["answered"] += 1
            self.counts.add(report)
        if code == -signal.SIGALRM:
            self.counts.note("hung", what)
        elif report is None:
            self.counts.note("silent", what)
        elif code != exit_code(told.end, told.in_main_thread):
            self.counts.note("misled", what)

    def _read_reports(self) -> None:
        """What children have written by now: one that has ended has written all."""
        try:
            while data := os.read(self.world.reading, 1 << 16):
                self.unread += data
        except BlockingIOError:
            pass
        *lines, self.unread = self.unread.split(b"\n")
        for line in lines:
            pid, _, report = line.partition(b" ")
            self.reports[int(pid)] = Counts.from_json(report)
