"""The ways to fork."""

from __future__ import annotations

import ctypes
import functools
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tests.fork import Child, reap

if TYPE_CHECKING:
    from tests.matrix.state import State

# What a way's child ends with when it leaves otherwise than by exit code 0.
EXIT_CODES = MappingProxyType({"exception": 1, "signal": -signal.SIGTERM})

# A child so made takes over the interpreter as it is, so nothing may run beside it here: PyDLL
# calls with the interpreter's lock held, and the child holds it then.
LIBC = ctypes.PyDLL(None, use_errno=True)
SYS_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine(), 0)
NO_CLONE = "the number of clone is known for Linux on x86-64 and ARM64 only"

#: In the parent: `wait(deadline)` answers the exit code. None: this is the child.
Started = Callable[[float], int] | None


class Way:
    """A call that answers twice, as `os.fork` does."""

    name = "os_fork"
    #: Why it cannot be had on this system; empty where it can.
    unavailable = ""
    #: Whether Python's own at-fork handlers run.
    runs_hooks = True
    exit_codes: Mapping[str, int] = EXIT_CODES

    def start(self, run: Callable[[], object]) -> Started:
        """Fork, and `run` in the child."""
        pid = self.fork()
        if pid == 0:
            run()
            return None
        return functools.partial(reap, pid)

    def fork(self) -> int:
        """0 in the child, its pid in the parent."""
        return os.fork()

    def exec(self) -> None:
        """Become another program."""
        os.execvp("true", ["true"])


class ForkPty(Way):
    """`os.forkpty`: the child's terminal is a new one."""

    name = "forkpty"

    def start(self, run: Callable[[], object]) -> Started:
        pid, terminal = os.forkpty()
        if pid == 0:
            run()
            return None

        def wait(deadline: float) -> int:
            try:
                return reap(pid, deadline)
            finally:
                os.close(terminal)  # not before: it would hang up on the child

        return wait


class Multiprocessing(Way):
    """A process of multiprocessing's context "fork", which leaves by its own bootstrap."""

    name = "multiprocessing"

    def start(self, run: Callable[[], object]) -> Started:
        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()

        def wait(deadline: float) -> int:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                process.kill()
                process.join()
            code = process.exitcode
            process.close()
            assert code is not None
            return code

        return wait


class Preexec(Way):
    """`subprocess` with `preexec_fn`: the child runs between fork and exec.

    An exception there, SystemExit too, ends it with 255 and is told to the parent.
    """

    name = "preexec_fn"
    exit_codes = MappingProxyType({**EXIT_CODES, "exception": 255, "sys_exit": 255})

    def start(self, run: Callable[[], object]) -> Started:
        try:
            process = subprocess.Popen(["true"], preexec_fn=run)
        except subprocess.SubprocessError:
            return lambda deadline: 255

        def wait(deadline: float) -> int:
            try:
                return process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

        return wait

    def exec(self) -> None:
        """Nothing: `subprocess` does it."""


class LibcFork(Way):
    """The C library's `fork`, as a program in C calls it (uWSGI)."""

    name = "libc_fork"
    runs_hooks = False

    def fork(self) -> int:
        return int(LIBC.fork())


class Clone(Way):
    """The system call: not even the C library knows."""

    name = "clone"
    unavailable = "" if SYS_CLONE and sys.platform == "linux" else NO_CLONE
    runs_hooks = False

    def fork(self) -> int:
        return int(LIBC.syscall(SYS_CLONE, signal.SIGCHLD, 0, 0, 0, 0))


class OtherThread(Way):
    """`os.fork` by a thread that is not the main one.

    An error ends that thread and nothing else, and with its last thread the child ends in order.
    """

    name = "thread"
    exit_codes = MappingProxyType({"signal": EXIT_CODES["signal"]})

    def start(self, run: Callable[[], object]) -> Started:
        started: list[Started] = []
        forks = super().start
        thread = threading.Thread(target=lambda: started.append(forks(run)))
        thread.start()
        thread.join()
        return started[0]


WAYS = (
    Way(),
    Multiprocessing(),
    ForkPty(),
    Preexec(),
    LibcFork(),
    Clone(),
    OtherThread(),
)


def run_child(
    state: State,
    job: Callable[[State], Any],
    way: Way,
    leave: Callable[[Way], object],
    exit_code: int,
) -> Any:
    """Fork; the child does its `job` and leaves; what it answered.

    None in a child that has left by running off its end.
    """
    child = Child()

    def run() -> None:
        child.work(job, state)
        leave(way)

    started = way.start(run)
    return started and child.result(started, exit_code)
