"""A background job: query, sleep longer than the server keeps a session, query again.

No request surrounds it, so Django's request signals never look at its connection.
"""

from __future__ import annotations

import os
import secrets
import time

from examples.demo.site.echo import echo
from examples.demo.site.errors import describe
from examples.demo.site.report import report

NAP = float(os.environ["DEMO_NAP"])
REST = 0.4  # seconds between two rounds


def run_once(where: str) -> None:
    """Do it once, and report whether both answers were right. `where`: "master" or "worker"."""
    report("job started", where=where)
    try:
        right = _asks_right()
        time.sleep(NAP)
        right = _asks_right() and right
    except Exception as error:  # a broken connection raises anything: count it, keep going
        report("job ended", where=where, **describe(error))
    else:
        report("job ended", where=where, right=right)


def run_for_ever(where: str) -> None:
    """Do it again and again, as a scheduler does; a failed round takes as long as a good one."""
    while True:
        due = time.monotonic() + NAP + REST
        run_once(where)
        time.sleep(max(0.0, due - time.monotonic()))


def _asks_right() -> bool:
    token = secrets.token_hex(8)
    return echo("default", token)[0] == token
