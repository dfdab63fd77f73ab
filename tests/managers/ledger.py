"""What the importing process keeps from before the first fork to its end: one transaction.

It asks by every way too, so that at each fork there are connections idle in the pools, one in
Django's hands on the thread that forks, and one in a transaction with a row and a lock.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from typing import Any

from tests.managers.given import COMMIT, given
from tests.managers.report import report
from tests.managers.ways import ECHO, WAYS, pool


class Ledger:
    """The transaction, and what is reported of it: a line of JSON each time."""

    def __init__(self) -> None:
        self.connection = pool.connect()
        with self.connection.cursor() as cursor:
            cursor.execute("SET @mark = %s", (os.getpid(),))
            cursor.execute("SELECT GET_LOCK(CONCAT('ledger', CONNECTION_ID()), 0)")
            cursor.fetchall()
        self.write()
        self.ask_around()

    def ask_around(self) -> None:
        """Ask by every way, and report on which sessions."""
        sessions = {way: ask(ECHO, "a word")[1] for way, ask in WAYS.items()}
        report("import", pid=os.getpid(), held=self.connection.thread_id(), sessions=sessions)

    def write(self) -> None:
        """Add a row that names the session's own variable."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {given().table} (mark) VALUES (@mark)")

    def commit(self, *_: Any) -> None:
        """Write, commit, report; a handler of signals."""
        try:
            self.write()
            self.connection.commit()
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT CONNECTION_ID(), @mark")
                session, mark = cursor.fetchone() or (None, None)
            report("commit", session=session, mark=mark)
        except Exception:  # reported, not raised: the manager's own loop is below on the stack
            report("commit", error=traceback.format_exc())


def commit_when_told(ledger: Ledger) -> None:
    """Wait for COMMIT in a thread, as a C program's main thread runs no Python handler."""
    while True:
        signal.sigwait({COMMIT})
        ledger.commit()


ledger = Ledger()
if given().thread:
    signal.pthread_sigmask(signal.SIG_BLOCK, {COMMIT})
    threading.Thread(target=commit_when_told, args=(ledger,), daemon=True).start()
else:
    signal.signal(COMMIT, ledger.commit)
