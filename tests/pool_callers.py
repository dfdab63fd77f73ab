"""`python -m tests.pool_callers THREADS OPTIONS-AS-JSON`: threads that keep one pool busy.

A line "busy" tells that every thread has had an answer. Then each line on standard input is
answered by how many answers there were so far; when it ends, so do the threads, and the last line
tells how they fared: see `Report` in pool_load.py, which starts this.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from typing import Any

import forksafe

HOLD = 0.002  # seconds of each statement
PAUSE = 0.01  # seconds after a failure: as long as who was failed needs to come back
LIMIT = 60  # seconds in which threads must have had an answer, or have ended


class Callers:
    """The threads."""

    def __init__(self, threads: int, options: dict[str, Any]) -> None:
        self.events: list[str] = []
        self.pool = forksafe.Pool(**options, on_event=self._note)
        self.over = threading.Event()
        self.busy = Counter[int]()
        self.answers: list[float] = []
        self.failures: list[tuple[float, float, str, int, str]] = []
        self.down_for: list[float | None] = []
        self.threads = [
            threading.Thread(target=self._caller, args=(number,)) for number in range(threads)
        ]
        self.threads.append(threading.Thread(target=self._look))

    def start(self) -> None:
        """Start them, and wait until each has had an answer."""
        for thread in self.threads:
            thread.start()
        deadline = time.monotonic() + LIMIT
        while len(self.busy) < len(self.threads) - 1:
            assert time.monotonic() < deadline, "no answers"
            time.sleep(0.01)

    def end(self) -> None:
        """End them; one that hangs is a failure."""
        self.over.set()
        for thread in self.threads:
            thread.join(LIMIT)
        assert not any(thread.is_alive() for thread in self.threads), "a caller hangs"

    def _look(self) -> None:
        while not self.over.wait(0.05):
            self.down_for.append(self.pool.stats()["down_for"])

    def _note(self, event: Any) -> None:
        if event.kind.startswith("server_"):
            self.events.append(event.kind)

    def _caller(self, number: int) -> None:
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self._turn(number)
            except forksafe.Error as error:
                took, text = time.monotonic() - began, str(error.args[1])
                self.failures.append((began, took, type(error).__name__, error.args[0], text))
                time.sleep(PAUSE)
            else:
                self.answers.append(time.monotonic())
                self.busy[number] += 1

    def _turn(self, number: int) -> None:
        with self.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT SLEEP(%s), %s", (HOLD, number))
            assert cursor.fetchall() == ((0, number),), "another's answer"


def main() -> None:
    """Run until standard input ends."""
    callers = Callers(int(sys.argv[1]), json.loads(sys.argv[2]))
    callers.start()
    print("busy", flush=True)
    for _ in sys.stdin:
        print(len(callers.answers), flush=True)
    callers.end()
    report = {
        "answers": callers.answers,
        "failures": callers.failures,
        "down_for": callers.down_for,
        "events": callers.events,
        "stats": callers.pool.stats(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
