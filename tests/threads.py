"""Work in a thread of its own, and what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


def in_thread(work: Callable[[], Any], name: str | None = None) -> Callable[[], Any]:
    """Start `work` in a thread; what is returned waits for its result, or raises its error."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, name=name)
    thread.start()

    def wait() -> Any:
        thread.join(30)
        assert not thread.is_alive(), "the thread hangs"
        result, error = outcome[0]
        if error:
            raise error
        return result

    return wait


def in_a_thread(work: Callable[[], Any], name: str | None = None) -> Any:
    """What `work` answers in a thread that has ended."""
    return in_thread(work, name)()
