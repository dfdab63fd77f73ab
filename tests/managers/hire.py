"""`python -m tests.managers.hire pool|executor METHOD`: a parent that has its work done by others.

It asks its database itself, on two threads, all the while. It goes on when a file of its folder
appears that the test makes, and stays when it is done.
"""

from __future__ import annotations

import multiprocessing
import secrets
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from tests.managers import jobs
from tests.managers.given import given
from tests.managers.report import report

TASKS = 8


def wait_for(word: str) -> None:
    """Until the test has made the file of this name."""
    while not (Path(given().folder) / word).exists():
        time.sleep(0.01)


def ask_on(ended: threading.Event) -> None:
    """What the parent's threads do."""
    while not ended.wait(0.01):
        jobs.echo(secrets.token_hex(8))


def with_pool(method: str) -> None:
    """multiprocessing.Pool: workers retire, and the last are terminated in mid query."""
    context = multiprocessing.get_context(method)
    with context.Pool(2, maxtasksperchild=4) as pool:
        pool.map(jobs.echo, [secrets.token_hex(8) for _ in range(TASKS)], chunksize=1)
        report("answered")
        pool.apply_async(jobs.stall, ("django", "stall_django"))
        wait_for("go")
        pool.terminate()
        pool.join()


def with_executor(method: str) -> None:
    """ProcessPoolExecutor: a worker dies in mid query, which breaks it; another takes its place."""
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        list(executor.map(jobs.echo, [secrets.token_hex(8) for _ in range(TASKS)]))
        report("answered")
        stalled = executor.submit(jobs.stall, "django", "stall_django")
        error = stalled.exception()
        assert isinstance(error, BrokenProcessPool), error
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        list(executor.map(jobs.echo, [secrets.token_hex(8) for _ in range(TASKS)]))


def main(kind: str, method: str) -> None:
    """Have the work done, and stay."""
    # Here, because a process that is spawned imports this module too.
    import tests.managers.ledger  # noqa: F401 - asks, and keeps a transaction

    ended = threading.Event()
    threads = [threading.Thread(target=ask_on, args=(ended,), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    {"pool": with_pool, "executor": with_executor}[kind](method)
    ended.set()
    for thread in threads:
        thread.join()
    report("done")
    while True:
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
