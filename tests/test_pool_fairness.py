"""Two hundred threads on a pool of four: all are served, in their turn, and the counts are exact.

What it measures is printed by `pytest -s`; `make soak` keeps it up for a minute.
"""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable

import pytest

import forksafe
from tests import watched
from tests.watched import Witness

MakePool = Callable[..., forksafe.Pool]

witness = watched.witness

THREADS = 200
SIZE = 4
HOLD = 0.001  # seconds of each statement: the queue is what is measured


class Crowd:
    """Threads that want a connection again as soon as they have given one back."""

    def __init__(self, pool: forksafe.Pool) -> None:
        self.pool = pool
        self.over = threading.Event()
        self.served = itertools.count()  # raised at each lease, in the order of the leases
        self.last = 0
        self.waits: list[list[float]] = [[] for _ in range(THREADS)]  # seconds, by thread
        self.overtaken = [0] * THREADS  # the most leases of others within one wait, by thread
        self.sessions: set[int] = set()
        self.errors: list[BaseException] = []

    def run(self, seconds: float, look: Callable[[], None]) -> None:
        """Let them go on for so long, and `look` in between."""
        threads = [
            threading.Thread(target=self._caller, args=(number,)) for number in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.errors:
            look()
            time.sleep(0.05)
        self.over.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads), "a caller hangs"

    def _caller(self, number: int) -> None:
        try:
            while not self.over.is_set():
                self._turn(number)
        except BaseException as error:
            self.errors.append(error)

    def _turn(self, number: int) -> None:
        before, began = self.last, time.monotonic()
        with self.pool.connection() as connection:
            waited = time.monotonic() - began
            self.last = place = next(self.served)
            with connection.cursor() as cursor:
                cursor.execute("SELECT SLEEP(%s), %s, CONNECTION_ID()", (HOLD, place))
                ((_, answered, session),) = cursor.fetchall()
            assert answered == place, "another's answer"
            self.sessions.add(session)
        self.waits[number].append(waited)
        self.overtaken[number] = max(self.overtaken[number], place - before)


@pytest.mark.slow
@pytest.mark.timeout(0)  # how long it takes is the caller's; threads that hang are found
def test_two_hundred_threads_share_four_connections_in_turn(
    make_pool: MakePool, witness: Witness, pool_seconds: float
) -> None:
    pool = make_pool(max_size=SIZE, timeout=60)
    strangers, most = witness.sessions(), 0

    def look() -> None:
        nonlocal most
        most = max(most, len(witness.sessions() - strangers))

    crowd = Crowd(pool)
    crowd.run(pool_seconds, look)
    assert crowd.errors == []
    counts = sorted(len(waits) for waits in crowd.waits)
    print(report(crowd, counts, most))

    # Nobody starves: all are served, about equally often; nobody sees all the others pass twice.
    assert counts[0] * 2 >= statistics.median(counts), counts
    assert max(crowd.overtaken) < 2 * THREADS

    # The pool counts what its callers count, and the server has seen no more than it may.
    stats = pool.stats()
    total = sum(counts)
    assert stats["requests_num"] == total
    assert stats["wait_time"]["count"] == stats["use_time"]["count"] == total
    assert (stats["requests_errors"], stats["timeouts"], stats["returns_bad"]) == (0, 0, 0)
    assert total / 2 < stats["requests_queued"] <= total
    assert stats["hand_offs"] <= stats["requests_queued"]
    assert set(stats["discards"].values()) == {0}
    assert (stats["connections_num"], stats["connections_errors"]) == (SIZE, 0)
    assert (len(crowd.sessions), most) == (SIZE, SIZE)
    assert (stats["requests_waiting"], stats["in_use"], stats["pool_available"]) == (0, 0, SIZE)


def report(crowd: Crowd, counts: list[int], most: int) -> str:
    """How long they waited, how evenly they were served."""
    waits = sorted(itertools.chain.from_iterable(crowd.waits))
    median, p99, longest = (
        statistics.median(waits) * 1e3,
        waits[len(waits) * 99 // 100] * 1e3,
        waits[-1] * 1e3,
    )
    return (
        f"\n{THREADS} threads, a pool of {SIZE}: {len(waits)} check-outs, "
        f"{counts[0]} to {counts[-1]} a thread (median {statistics.median(counts):.0f})\n"
        f"wait: median {median:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms; "
        f"longest / median = {longest / median:.2f}\n"
        f"most leases of others within one wait: {max(crowd.overtaken)}; "
        f"most connections at the server: {most}"
    )
