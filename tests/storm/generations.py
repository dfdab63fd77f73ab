"""Programs that fork for long; what they print is judged in test_generations.py.

`python -m tests.storm.generations waiting|handing-over|children COUNT` prints samples, one a line:
[number of the generation or child, descriptors of the process, sessions of the server].
FORKSAFE_TEST_URL names the server.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import forksafe

TIMEOUT = 100.0  # seconds; a process that needs longer, with those after it, hangs
SESSIONS = (
    "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
    " WHERE USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"
)
SAMPLES = 50


class Generation:
    """A process of a chain: it holds one session in a transaction, and leaves another idle."""

    def __init__(self, pool: forksafe.Pool, number: int) -> None:
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
        self.pool = pool
        self.number = number
        self.held = pool.connect()
        self.session = self.held.thread_id()
        self.ask("SET @generation = %s", number)
        self.ask("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        pool.connect().close()

    def ask(self, sql: str, *arguments: object) -> Any:
        """The first row of an answer."""
        with self.held.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchone() if cursor.description else None

    def sample(self) -> list[int]:
        """See the module."""
        return [self.number, len(os.listdir("/proc/self/fd")), self.ask(SESSIONS)[0]]

    def end(self) -> None:
        """After its children: all is as it was."""
        found = self.ask("SELECT CONNECTION_ID(), @generation")
        assert found == (self.session, self.number), f"{found} in generation {self.number}"
        assert self.held.in_transaction
        self.held.close()
        self.pool.close()


def waiting(pool: forksafe.Pool, count: int, report: Callable[[list[int]], None]) -> None:
    """A chain in which each generation keeps its sessions until those after it have ended."""
    generation = Generation(pool, 0)
    for number in range(1, count + 1):
        if pid := os.fork():
            assert os.waitpid(pid, 0)[1] == 0, f"generation {number} failed"
            break
        generation = Generation(pool, number)
        report(generation.sample())
    generation.end()
    if generation.number:
        os._exit(0)


def handing_over(pool: forksafe.Pool, count: int, report: Callable[[list[int]], None]) -> None:
    """A chain in which each generation ends when it has forked the next; the first waits."""
    reading, writing = os.pipe()
    first = os.getpid()
    generation = Generation(pool, 0)
    for number in range(1, count + 1):
        if os.fork():
            break
        generation = Generation(pool, number)
        report(generation.sample())
    os.close(writing)
    if os.getpid() == first:
        os.read(reading, 1)  # until the last of them has closed its end
    generation.end()
    if os.getpid() != first:
        os._exit(0)


def children(pool: forksafe.Pool, count: int, report: Callable[[list[int]], None]) -> None:
    """One parent, and its children one after the other; some leave their sessions open."""
    parent = Generation(pool, 0)
    for number in range(1, count + 1):
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
        if (pid := os.fork()) == 0:
            child = Generation(pool, number)
            if number % 2:
                child.end()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0, f"child {number} failed"
        if number % max(1, count // SAMPLES) == 0:
            report([number, *parent.sample()[1:]])
    parent.end()


def main(way: str, count: str) -> None:
    """Run one of them; a process that fails ends with an error, and so do those before it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    pool = forksafe.Pool(os.environ["FORKSAFE_TEST_URL"], max_size=2, timeout=20.0)
    ways = {"waiting": waiting, "handing-over": handing_over, "children": children}
    ways[way](pool, int(count), lambda sample: print(json.dumps(sample), flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
