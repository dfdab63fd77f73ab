"""gunicorn and all that it forks, started for one phase and always ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from examples.demo.load import fetch

START_TIMEOUT = 20.0  # seconds, until a worker answers
STOP_TIMEOUT = 6.0  # seconds for a graceful end; a master that hangs on its socket never gets there


class DidNotStart(Exception):
    """gunicorn ended or fell silent before it served; the text is the end of its log."""


@contextlib.contextmanager
def fleet(environment: dict[str, str], log: Path) -> Iterator[int]:
    """Serve the site; gives the port. Whatever happens inside, no process is left afterwards."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port: int = listener.getsockname()[1]
        gunicorn = _start(listener, environment, log)
    try:
        _wait_until_served(port, gunicorn, log)
        yield port
        _end_gracefully(gunicorn)
    finally:
        _kill_group(gunicorn)


def end_of(log: Path, lines: int = 40) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _start(
    listener: socket.socket, environment: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C is for the runner, which then ends the group, orphans included.
    # The socket is handed down open, so that no other process can take the port in between.
    with log.open("ab") as output:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn"),
                *("--config", "python:examples.demo.site.gunicorn_conf"),
                *("--bind", f"fd://{listener.fileno()}"),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def _wait_until_served(port: int, gunicorn: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while gunicorn.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if fetch(port, "/health")[0] == 200:
                return
        time.sleep(0.05)
    raise DidNotStart(end_of(log))


def _end_gracefully(gunicorn: subprocess.Popen[bytes]) -> None:
    gunicorn.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        gunicorn.wait(STOP_TIMEOUT)


def _kill_group(gunicorn: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(gunicorn.pid, signal.SIGKILL)
    gunicorn.wait()
