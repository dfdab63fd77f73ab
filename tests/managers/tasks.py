"""Celery's application: tasks that ask by every way. Nothing in it knows of forks."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_process_init
from django.db import connections

from tests.managers.broker import settings
from tests.managers.given import given
from tests.managers.ledger import ledger  # asks, and keeps a transaction
from tests.managers.report import report
from tests.managers.ways import ECHO, STALL, WAYS

app = Celery("managed")
app.conf.update(settings(Path(given().folder)))
#: The inode of each file of the application, by its descriptor.
files: dict[int, int] = {}


@app.task(name="echo")
def echo(way: str, token: str) -> None:
    """The token that came along, sent through the database; and what Django's pool has counted."""
    returned, session = WAYS[way](ECHO, token)
    pool = connections["default"].pool.stats()
    report("echo", way=way, token=returned, session=session, pid=os.getpid(), pool=pool)


@app.task(name="stall")
def stall(way: str, lock: str) -> None:
    """Ask for a lock that another session holds, and so stay in the middle of a statement."""
    report("stall", way=way, pid=os.getpid())
    WAYS[way](STALL, lock)


@app.task(name="look at files")
def look_at_files() -> None:
    """Report the descriptors of the open files, and those that are not what they were."""
    spoilt = [number for number, inode in files.items() if not is_intact(number, inode)]
    report("files", numbers=list(files), spoilt=spoilt)


def is_intact(number: int, inode: int) -> bool:
    """Whether a descriptor is still that of the file, and nothing was written into it."""
    try:
        found = os.fstat(number)
    except OSError:
        return False
    return (found.st_ino, found.st_size) == (inode, 0)


@worker_init.connect
def warm_up(**_: Any) -> None:
    """Ask before the first task, as an application does that fills a cache."""
    ledger.ask_around()
    report("connected", numbers=[connections[alias].connection.fileno() for alias in connections])
    # After Celery's own receiver, which closes the descriptors of Django's connections.
    worker_process_init.connect(open_files, weak=False)


def open_files(**_: Any) -> None:
    """Open files, which get the lowest descriptors that are free."""
    for _n in range(4):
        number, _path = tempfile.mkstemp(dir=given().folder)
        files[number] = os.fstat(number).st_ino
