"""What is true of parent and server before a storm, and must be true again after it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.mariadb_server import Server
from tests.storm.counts import Counts
from tests.storm.descriptors import open_descriptors
from tests.storm.statements import ROWS
from tests.storm.world import World

QUIET = 10.0  # seconds that the server may take to notice that sessions have ended


def at_least(aborted: int) -> int:
    """What Aborted_clients surely grows by when so many sessions end without a goodbye.

    The server counts them without a lock, and so loses some that end at the same moment: 2 of
    21,980 have been seen.
    """
    return aborted - 1 - aborted // 1000


class Books:
    """The server's sessions and aborted sessions before the storm."""

    def __init__(self, server: Server) -> None:
        self.server = server
        wait_until(lambda: not server.session_ids(), 1.0)
        self.sessions = server.session_ids()
        self.aborted = server.status("Aborted_clients")

    def judge(self, counts: Counts) -> None:
        """After all has been closed."""
        wait_until(lambda: not self._left(), QUIET)
        for session in self._left():
            counts.note("sessions_left", f"session {session}")
        ended = counts["aborted"] + counts["killed"]
        least, most = at_least(ended), ended + counts["perhaps_aborted"]
        wait_until(lambda: self._aborted() >= least, 2.0)
        found = self._aborted()
        if beyond := max(found - most, least - found, 0):
            text = f"{found} aborted sessions, not {least} to {most}"
            counts.note("aborted_beyond", text, beyond)
        rows = int(self.server.execute_as_root(f"SELECT COUNT(*) FROM {self._rows()}")[0][0] or 0)
        if rows != counts["rows"]:
            text = f"{counts['rows']} rows committed, {rows} found"
            counts.note("rows_lost", text, abs(rows - counts["rows"]))

    def _left(self) -> set[int]:
        return self.server.session_ids() - self.sessions

    def _aborted(self) -> int:
        return self.server.status("Aborted_clients") - self.aborted

    def _rows(self) -> str:
        return f"{self.server.database}.{ROWS}"


def judge_parent(world: World, counts: Counts) -> None:
    """Its long sessions, the shared pool's sessions, its descriptors after all is closed."""
    for pinned in world.pinned:
        pinned.end(world.server, counts)
    try:
        found, cause = world.shared_sessions(), ""
    except Exception as error:
        found, cause = set(), f": {error}"
    if lost := world.sessions - found:
        counts.note("parent_lost", f"sessions {lost} of the pool{cause}", len(lost))
    counts["parent_connects"] += sum(pool.stats()["connections_num"] for pool in world.pools)
    world.close()
    judge_descriptors(world, counts)


def judge_descriptors(world: World, counts: Counts) -> None:
    """Nothing but what was open before forksafe."""
    for number, meaning in open_descriptors().items():
        if number not in world.known:
            counts.note("parent_gained", f"{number} {meaning}")


class Samples:
    """What is looked at while the storm goes on: the parent's memory, the server's sessions."""

    def __init__(self, world: World, counts: Counts) -> None:
        self.world, self.counts = world, counts

    def at_tenth(self, tenth: int) -> None:
        """Memory at the first and the last tenth of the forks, sessions at each."""
        seen, memory = len(self.world.server.session_ids()), _resident_mib()
        self.counts["peak_sessions"] = max(seen, self.counts["peak_sessions"])
        if tenth == 1:
            self.counts["memory_early"] = memory
        if tenth == 10:
            self._judge(memory)
        variant, forks = self.world.plan.variant, self.counts["forks"]
        print(f"{variant}: {forks} forks, {memory} MiB", file=sys.stderr, flush=True)

    def _judge(self, memory: int) -> None:
        early = self.counts["memory_early"]
        self.counts["memory_late"] = memory
        beyond = memory - early - self.world.plan.memory_bound
        if beyond > 0:
            self.counts.note("memory_beyond", f"from {early} to {memory} MiB", beyond)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Until it holds, or the time is over."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20))
