"""What the tests and the application that they have managed agree on."""

from __future__ import annotations

import functools
import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VARIABLE = "FORKSAFE_MANAGED"

#: Sent to the process that imported the application, has it commit its transaction and report.
COMMIT = signal.SIGRTMIN


@dataclass(frozen=True)
class Given:
    """Where the server is, as each way wants to be told, and where to write."""

    connect: dict[str, Any]  #: options of forksafe.connect()
    url: str  #: for SQLAlchemy
    database: dict[str, Any]  #: an entry of Django's DATABASES
    table: str  #: with an `id` of its own making, and `mark`
    folder: str  #: where a manager and its application may write
    thread: bool = False  #: whether a thread of the importing process waits for COMMIT
    usual: bool = False  #: whether there is a way "usual": another driver, one connection for all

    @property
    def report(self) -> Path:
        """The file into which the importing process writes facts."""
        return Path(self.folder) / "report"

    def environment(self) -> dict[str, str]:
        """The variables by which `given()` finds it in another process."""
        return {VARIABLE: json.dumps(asdict(self))}


@functools.cache
def given() -> Given:
    """What the test has given to this process."""
    return Given(**json.loads(os.environ[VARIABLE]))
