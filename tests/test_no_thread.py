"""forksafe has no thread of its own: nothing to lose in a fork, nothing for Python to warn of."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from scripts.mariadb_server import Server

RunPython = Callable[..., CompletedProcess[str]]

# A fresh interpreter, so that the threads of others are not counted.
USE = """
import gc, os, pathlib, sys, threading, time, warnings
import forksafe

TASKS = pathlib.Path("/proc/self/task")

def threads():
    tasks = len(list(TASKS.iterdir())) if TASKS.is_dir() else 1
    return tasks, threading.active_count()

def use(pool):
    lent = [pool.connect() for _ in range(5)]
    for connection in lent:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        assert threads() == before
        connection.close()

url = sys.argv[1]
before = threads()
assert before == (1, 1)
pool = forksafe.Pool(url, max_size=5, max_idle=0.05, recycle=0.1)
use(pool)
time.sleep(0.15)
assert threads() == before
use(pool)
assert threads() == before
"""

FORK = """
warnings.simplefilter("error")
child = os.fork()
if child == 0:
    use(pool)
    pool.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

CLOSE = """
pool.close()
del pool
gc.collect()
assert threads() == before
print("done")
"""


@pytest.mark.parametrize("source", [USE + CLOSE, USE + FORK + CLOSE], ids=["used", "forked"])
def test_a_pool_starts_no_thread_and_python_does_not_warn_of_its_fork(
    run_python: RunPython, server: Server, transport: str, source: str
) -> None:
    assert run_python(source, server.url(transport)).stdout == "done\n"


def test_a_time_out_in_the_queue_needs_no_thread(run_python: RunPython, server: Server) -> None:
    wait = """
held = [pool.connect() for _ in range(5)]
try:
    pool.connect(timeout=0.1)
except forksafe.PoolTimeout:
    assert threads() == before
else:
    raise AssertionError("no time-out")
held.clear()
"""
    done: Any = run_python(USE + wait + CLOSE, server.url())
    assert (done.stdout, done.stderr) == ("done\n", "")
