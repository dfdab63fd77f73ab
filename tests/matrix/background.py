"""Something that another thread does meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

PATIENCE = 20  # seconds


class Background:
    """Runs `act` in a thread of its own.

    A daemon: after a fork in C the child's interpreter takes the thread for a living one, and
    would wait for any other at its end.
    """

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def is_running(self) -> bool:
        """Whether `act` has not come to its end."""
        return self._thread.is_alive()

    def result(self) -> Any:
        """Wait for the end of `act`; raises what it raised, or AssertionError if it hangs."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "a thread of the parent hangs"
        if self._error:
            raise self._error
        return self._result

    def _run(self) -> None:
        act, self._act = self._act, None  # type: ignore[assignment]
        try:
            self._result = act()
        except BaseException as error:
            self._error = error
