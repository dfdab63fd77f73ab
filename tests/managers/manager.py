"""A program that manages processes: started, and ended with all that it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.managers.given import Given

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds; what takes longer hangs
STOP_TIMEOUT = 10.0  # seconds for a graceful end


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Until `condition()` is true. Raises AssertionError when that does not come: a hang."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


class Manager:
    """A running program; `pid` is also that of its process group.

    By the end of a `with` no process of the group is left, and pytest shows the log of a failure.
    """

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        given: Given,
        pass_fds: Iterable[int] = (),
    ) -> None:
        self.given = given
        self.log = Path(given.folder) / "log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )
        self.pid = self.process.pid

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        print(self.end_of_output())

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """As the function; a program that ends meanwhile is an AssertionError too."""

        def look() -> object:
            assert self.process.poll() is None, f"ended before: {what}\n{self.end_of_output()}"
            return condition()

        wait_until(look, what)

    def wait_until_ended(self) -> int:
        """The exit code. Raises subprocess.TimeoutExpired when the program hangs."""
        return self.process.wait(PATIENCE)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and wait for that; the exit code."""
        self.process.send_signal(how)
        return self.process.wait(STOP_TIMEOUT)

    def reports(self, kind: str) -> list[dict[str, Any]]:
        """What the application has reported of this kind so far."""
        report = self.given.report
        text = report.read_text() if report.exists() else ""
        lines = text.rpartition("\n")[0].splitlines()  # the last may be half written
        return [facts for facts in map(json.loads, lines) if facts.pop("kind") == kind]

    def output(self) -> str:
        """What the program has written so far."""
        return self.log.read_text(errors="replace")

    def end_of_output(self) -> str:
        """The last lines of that."""
        return "\n".join(self.output().splitlines()[-100:])


#: What the fixture `manage` is: see fixtures.py.
Manage = Callable[..., Manager]
