"""Programs that use a pool, each in an interpreter of its own, and how they end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from textwrap import dedent

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]

TIMES = 3  # each program, for how a thread meets the end is a matter of luck
PATIENCE = 30.0  # seconds; what a program waits for takes longer, or is over by then

# The alarm: what hangs is ended, and then has another exit code than it should.
BEGIN = f"""
import atexit, os, signal, sys, threading, time
import forksafe

signal.alarm({int(PATIENCE)})
URL = os.environ["FORKSAFE_TEST_URL"]


def use(pool):
    with pool.connection() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 6 * 7")
        return cursor.fetchone()[0]


def start(*targets, daemon=True):
    for target in targets:
        threading.Thread(target=target, daemon=daemon).start()


def wait_until(happens):
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def wait_until_queued(pool, callers):
    wait_until(lambda: pool.stats()["requests_waiting"] == callers)
"""

# What a program does after `BEGIN`: four threads that wait for the only connection.
WAITING = """
    pool = forksafe.Pool(URL, max_size=1, timeout=60)
    held = pool.connect()
    start(*[pool.connect] * 4)
    wait_until_queued(pool, 4)
"""


def program(text: str) -> str:
    return BEGIN + dedent(text)


def ends(run_python: RunPython, source: str, *args: str, code: int = 0, says: str = "") -> None:
    """Each time with this exit code and output, and with nothing on stderr."""
    for _ in range(TIMES):
        done = run_python(source, *args, timeout=PATIENCE + 10, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (code, says, "")
