"""`python -m benches.pool`: what lending costs, and how evenly those who wait are served, beside
SQLAlchemy's QueuePool over mysqlclient or PyMySQL.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.pool import QueuePool

import forksafe
from benches.figures import Figures, table
from benches.header import header
from benches.record import arguments, publish
from scripts.mariadb_server import Server
from scripts.throwaway_mariadb import ThrowawayMariaDB

PACKAGES = ("forksafe", "PyMySQL", "mysqlclient", "SQLAlchemy")
CALLS = 2000  # one after another
CROWD = 64  # threads that want one connection
TURNS = 20  # of each of them
IDLE = 200  # connections whose memory is measured

CheckOut = Callable[[], Any]
Measured = dict[str, dict[str, Figures]]


def main() -> None:
    """Let both pools take turns, print the table."""
    asked = arguments("pool", rounds=21)
    measured: Measured = defaultdict(lambda: defaultdict(Figures))
    with ThrowawayMariaDB() as server:
        head = header(PACKAGES)
        for turn in range(asked.rounds):
            names = list(POOLS)
            for name in names if turn % 2 else reversed(names):
                _measure(POOLS[name], server, measured[name])
        for name in POOLS:
            measured[name]["KiB of memory, an idle connection"].add(_memory(name, server))
    text = f"{head}; unix socket; {asked.rounds} rounds of each.\n\n{_table(measured)}"
    publish("pool", text, asked)


def _measure(
    make: Callable[[Server, int], CheckOut], server: Server, measured: dict[str, Figures]
) -> None:
    check_out = make(server, 1)
    for _ in range(CALLS // 10):
        check_out().close()
    began = time.perf_counter_ns()
    for _ in range(CALLS):
        check_out().close()
    took = time.perf_counter_ns() - began
    measured["µs, check out and check in"].add(took / CALLS / 1000)
    took, waits = _crowd(check_out)
    measured[f"µs, hand-off, {CROWD} threads wait"].add(took / CROWD / TURNS / 1000)
    measured["longest wait / median wait"].add(max(waits) / statistics.median(waits))


def _crowd(check_out: CheckOut) -> tuple[int, list[int]]:
    """Nanoseconds from the first check-out to the last check-in, and of each wait."""
    waits: list[int] = []
    together = threading.Barrier(CROWD + 1)

    def caller() -> None:
        together.wait()
        for _ in range(TURNS):
            began = time.perf_counter_ns()
            connection = check_out()
            waits.append(time.perf_counter_ns() - began)
            connection.close()

    threads = [threading.Thread(target=caller) for _ in range(CROWD)]
    for thread in threads:
        thread.start()
    together.wait()
    began = time.perf_counter_ns()
    for thread in threads:
        thread.join()
    return time.perf_counter_ns() - began, waits


def _memory(name: str, server: Server) -> float:
    """KiB by which a process of its own grows for each idle connection."""
    command = [sys.executable, "-m", "benches.pool", "--idle", name, str(server.unix_socket)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    return float(done.stdout)


def _tell_memory(name: str, unix_socket: str) -> None:
    server = Server()
    server.unix_socket = unix_socket
    check_out = POOLS[name](server, IDLE + 1)
    check_out().close()  # what the first one needs is not each one's
    before = _resident()
    for connection in [check_out() for _ in range(IDLE)]:
        connection.close()
    print((_resident() - before) / IDLE)


def _resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _forksafe(server: Server, size: int) -> CheckOut:
    return forksafe.Pool(**server.connect_kwargs("socket"), max_size=size, timeout=60).connect


def _queue_pool(server: Server, size: int) -> CheckOut:
    """Without its ROLLBACK at each check-in: then neither pool sends anything."""
    try:
        from MySQLdb import connect
    except ImportError:
        from pymysql import connect
    kwargs = server.connect_kwargs("socket")
    pool = QueuePool(
        lambda: connect(**kwargs), pool_size=size, max_overflow=0, timeout=60, reset_on_return=None
    )
    return pool.connect


POOLS: dict[str, Callable[[Server, int], CheckOut]] = {
    "forksafe": _forksafe,
    "SQLAlchemy": _queue_pool,
}


def _table(measured: Measured) -> str:
    rows = []
    for what, ours in measured["forksafe"].items():
        theirs = measured["SQLAlchemy"][what]
        ratio = theirs.median / ours.median
        rows.append((what, f"{ours.median:.2f}", f"{theirs.median:.2f}", f"{ratio:.2f}"))
    return table(("median of the rounds", *POOLS, "ratio"), rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--idle"]:
        _tell_memory(*sys.argv[2:])
    else:
        main()
