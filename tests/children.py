"""Several children at once, beside a parent that goes on."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from typing import Any

TIMEOUT = 60  # seconds; a child that needs longer hangs


def start_child(fn: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Run `fn(*args)` in a forked child; what is returned waits for its result.

    Waiting raises AssertionError with the child's traceback when it failed or hung.
    """
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(TIMEOUT)
        os.close(reading)
        try:
            report = (fn(*args), "")
        except BaseException:
            report = (None, traceback.format_exc())
        with open(writing, "wb") as pipe:
            pipe.write(pickle.dumps(report))
        os._exit(0)
    os.close(writing)

    def wait() -> Any:
        with open(reading, "rb") as pipe:
            data = pipe.read()
        assert os.waitpid(pid, 0)[1] == 0, "the child hung or crashed"
        result, failure = pickle.loads(data)
        assert not failure, failure
        return result

    return wait
