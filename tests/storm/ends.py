"""The ways in which a child ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn


class RunsOffItsEnd(BaseException):
    """Carries a child to the end of its main code, or of its thread's, where it is caught."""


class LeavesByError(Exception):
    """The error that a child does not catch."""


def _raise(error: BaseException) -> NoReturn:
    raise error


def _leave_by_error() -> NoReturn:
    # The same exit code, without twenty thousand tracebacks.
    sys.excepthook = lambda *error: None
    threading.excepthook = lambda arguments: None
    raise LeavesByError


def _die_of(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    signal.pause()  # it may be on its way still


ENDS: dict[str, Callable[[], object]] = {
    "os._exit": lambda: os._exit(5),
    "sys.exit": lambda: sys.exit(6),
    "exception": _leave_by_error,
    "off the end": lambda: _raise(RunsOffItsEnd()),
    "SIGTERM": lambda: _die_of(signal.SIGTERM),
    "SIGKILL": lambda: _die_of(signal.SIGKILL),
    "exec": lambda: os.execvp("true", ["true"]),
}
EXIT_CODES = {
    "os._exit": 5,
    "sys.exit": 6,
    "exception": 1,
    "off the end": 0,
    "SIGTERM": -signal.SIGTERM,
    "SIGKILL": -signal.SIGKILL,
    "exec": 0,
}
# These unwind the stack. In the main thread, Python is finalised after it; in another one the
# thread ends, and C's exit() with it, for it is the only thread that a child has.
UNWINDING = ("sys.exit", "exception", "off the end")


def exit_code(end: str, in_main_thread: bool) -> int:
    """What `os.waitstatus_to_exitcode` says of a child that ended so."""
    return EXIT_CODES[end] if in_main_thread or end not in UNWINDING else 0
