"""What is happening, while it happens: one line that is updated, or plain lines in a log."""

from __future__ import annotations

import shutil
import sys
import time

from examples.demo.tally import HUNG, RIGHT, WRONG, Tally


class Progress:
    """The line of one column."""

    def __init__(self, title: str, tally: Tally) -> None:
        self.title = title
        self.tally = tally
        self.stage = ""
        self.began = time.monotonic()

    def enter(self, stage: str) -> None:
        """A new stage begins; in a log this is the only line it gets."""
        self.stage = stage
        self.show()
        if not sys.stdout.isatty():
            print(self._line(), flush=True)

    def show(self) -> None:
        """Refresh the line, where a line can be refreshed."""
        if sys.stdout.isatty():
            # A line that wraps could not be taken back.
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{self._line()[:width]}", end="", flush=True)

    def leave(self) -> None:
        """The column is finished."""
        self.enter("done")
        if sys.stdout.isatty():
            print()

    def _line(self) -> str:
        outcomes, seconds = self.tally.outcomes, time.monotonic() - self.began
        counts = {
            "right": outcomes[RIGHT],
            "WRONG": outcomes[WRONG],
            "errors": self.tally.errors,
            "hung": outcomes[HUNG],
        }
        told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
        return f"{seconds:4.0f} s  {self.title}  {self.stage}  {told}"
