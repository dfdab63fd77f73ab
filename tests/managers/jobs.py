"""Work for the processes of a pool or an executor. Nothing in it knows of forks."""

from __future__ import annotations

import os

from tests.managers.report import report
from tests.managers.ways import ECHO, STALL, WAYS


def echo(token: str) -> None:
    """Send the token through the database by every way, and report what came back."""
    for way, ask in WAYS.items():
        returned, session = ask(ECHO, token)
        report("echo", way=way, right=returned == token, session=session, pid=os.getpid())


def stall(way: str, lock: str) -> None:
    """Ask for a lock that another session holds, and so stay in the middle of a statement."""
    report("stall", way=way, pid=os.getpid())
    WAYS[way](STALL, lock)
