"""The ledger that gunicorn's master keeps: one transaction, from before the first fork to its exit.

The worst place for a connection to be when a process forks: the *main thread* of the master holds
it, inside `transaction.atomic()`. A sync worker is forked by that thread, so it starts its life
with the very same wrapper, connected and in a transaction. Rows are written before the fork (at
import), between forks (gunicorn's `child_exit`, which the main thread calls for each retired
worker), and at the end (`on_exit`), where the transaction is committed. Every row is reported
before it is tried, so that the runner can count what is missing from the table afterwards.
"""

from __future__ import annotations

import os

from django.db import connections, transaction

from examples.demo.site.errors import describe
from examples.demo.site.models import Entry
from examples.demo.site.report import report

BEFORE_THE_FORK = 5

_shift = transaction.atomic(using="ledger")


def open_shift() -> None:
    """Begin the transaction and write the first rows."""
    # The server's limit for idle sessions would end a transaction that rests between two retired
    # workers, whatever the driver; who means to rest asks for more.
    with connections["ledger"].cursor() as cursor:
        cursor.execute("SET SESSION wait_timeout = 600")
    _shift.__enter__()
    for n in range(BEFORE_THE_FORK):
        write(f"before the fork {n}")


def write(text: str) -> None:
    """Write one row of the transaction. An error is reported, and the master goes on."""
    report("row tried", row=text)
    try:
        Entry.objects.using("ledger").create(shift=os.environ["DEMO_SHIFT"], text=text)
    except Exception as error:  # a broken connection raises anything: count it, keep going
        report("row failed", row=text, **describe(error))


def close_shift() -> None:
    """Commit, and report what the driver said."""
    try:
        _shift.__exit__(None, None, None)
    except Exception as error:  # as above
        report("commit failed", **describe(error))
    else:
        report("commit ok")
