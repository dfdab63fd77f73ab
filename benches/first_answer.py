"""`python -m benches.first_answer`: from `fork()` to the first answer in a child, against a fresh
connect in the same process, beside what the usual drivers and SQLAlchemy need for the same.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import struct
import time
from collections import defaultdict
from collections.abc import Callable

import forksafe
from benches.figures import Figures, table
from benches.header import header
from benches.record import arguments, publish
from benches.subjects import Subject, subjects
from scripts.throwaway_mariadb import ThrowawayMariaDB

TRANSPORTS = ("tcp", "socket", "tls")
PACKAGES = ("forksafe", "PyMySQL", "mysqlclient", "SQLAlchemy")
FRESH = "forksafe: connect, no fork"  # what the ratios compare with
ALARM = 20  # seconds; a child that needs longer hangs

# Microseconds, by transport and subject.
Measured = dict[str, dict[str, Figures]]


def main() -> None:
    """Measure every subject in turn, many times, over each transport; print the table."""
    asked = arguments("first_answer", rounds=200)
    measured: Measured = {}
    with ThrowawayMariaDB() as server:
        head = header(PACKAGES, _version(server))
        for transport in TRANSPORTS:
            measured[transport] = _measure(subjects(server, transport), asked.rounds)
    text = f"{head}; {asked.rounds} rounds of each.\n\n{_table(measured)}"
    publish("first answer", text, asked)


def _version(server: ThrowawayMariaDB) -> str:
    with forksafe.connect(**server.connect_kwargs()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return f"MariaDB {cursor.fetchone()[0].partition('-')[0]}"


def _measure(taking_part: list[Subject], rounds: int) -> dict[str, Figures]:
    measured: dict[str, Figures] = defaultdict(Figures)
    order = random.Random(1)
    # What the children would copy and collect is the same for all of them: nothing.
    gc.collect()
    gc.freeze()
    for turn in range(-rounds // 10, rounds):
        # Nobody always comes after the same neighbour; the first tenth is to warm up.
        for subject in order.sample(taking_part, len(taking_part)):
            took = (_in_a_child if subject.forks else _here)(subject.answer)
            if turn >= 0:
                measured[subject.name].add(took)
    for subject in taking_part:
        subject.close()
    return {subject.name: measured[subject.name] for subject in taking_part}


def _here(answer: Callable[[], Callable[[], object]]) -> float:
    began = time.monotonic_ns()
    close = answer()
    took = time.monotonic_ns() - began
    close()
    return took / 1000


def _in_a_child(answer: Callable[[], Callable[[], object]]) -> float:
    """Both processes read one clock, so what is measured is all that lies between."""
    reading, writing = os.pipe()
    began = time.monotonic_ns()
    if os.fork() == 0:
        signal.alarm(ALARM)
        status = 1
        try:
            close = answer()
            os.write(writing, struct.pack("q", time.monotonic_ns()))
            close()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as pipe:
        report = pipe.read()
    _, status = os.wait()
    assert status == 0, "the child hung or failed"
    return (struct.unpack("q", report)[0] - began) / 1000


def _table(measured: Measured) -> str:
    head = ["µs: median (p95), ratio", *measured]
    names = list(next(iter(measured.values())))
    return table(head, ([name, *(_cell(of, name) for of in measured.values())] for name in names))


def _cell(measured: dict[str, Figures], name: str) -> str:
    figures, fresh = measured[name], measured[FRESH]
    return f"{figures.median:.0f} ({figures.p95:.0f}), {figures.median / fresh.median:.2f}"


if __name__ == "__main__":
    main()
