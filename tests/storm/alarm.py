"""An alarm against hangs, for parent and children alike."""

from __future__ import annotations

import faulthandler
import signal
from typing import IO

STALL = 90.0  # seconds; a parent that needs longer for one turn hangs


def dump_on_alarm(stacks: IO[str]) -> None:
    """Let the alarm write every thread's stack and then kill; children inherit it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, file=stacks, all_threads=True, chain=True)


def watch_for_a_hang(seconds: float = STALL) -> None:
    """Let the alarm go off in so many seconds from now; 0 is never. A fork switches it off."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
