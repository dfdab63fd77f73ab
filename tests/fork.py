"""Run a piece of a test in a forked child, and see how it fared."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import os
import pickle
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import IO, Any, NoReturn, TypeVar

import pytest

Result = TypeVar("Result")

WAYS_TO_LEAVE = ("os._exit", "sys.exit", "exception", "signal", "exec")
TIMEOUT = 20.0  # seconds; a child that needs longer hangs
GRACE = 5.0  # seconds the parent waits past the child's own alarm

# What os.waitstatus_to_exitcode says of each way.
EXIT_CODES = {"exception": 1, "signal": -signal.SIGTERM}


class ChildLeaves(Exception):
    """The error by which a child leaves with `leave="exception"`."""


class ChildTraceback(Exception):
    """The traceback of a child's error, as text; the cause of the error in the parent."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def in_child(
    fn: Callable[..., Result], *args: Any, leave: str = "os._exit", timeout: float = TIMEOUT
) -> Result:
    """Run `fn(*args)` in a forked child and return its result, or raise its error.

    The child leaves in one of WAYS_TO_LEAVE. With "sys.exit" and "exception" it unwinds the test
    that called this: the `with` and `finally` blocks on the way run in the child too, and then the
    interpreter is finalised. Only the test's own thread can do that.

    Raises AssertionError when the child hangs, dies, or leaves with another status than it should.
    """
    if leave not in WAYS_TO_LEAVE:
        raise ValueError(f"leave={leave!r}; expected one of {WAYS_TO_LEAVE}")
    child = Child(timeout)
    pid = os.fork()
    if pid == 0:
        child.work(fn, *args)
        _leave(leave)
    return child.result(functools.partial(reap, pid), EXIT_CODES.get(leave, 0))


class Child:
    """A child to be forked: its alarm, and the way that its report takes to the parent."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self.timeout = timeout
        self.reading, self.writing = os.pipe()
        self.stacks = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `result` closes it

    def work(self, fn: Callable[..., Any], *args: Any) -> None:
        """In the child: run `fn(*args)`, and report its result or its error."""
        os.close(self.reading)
        _arm_alarm(self.stacks, self.timeout)
        _report(self.writing, fn, args)

    def result(self, wait: Callable[[float], int], expected: int) -> Any:
        """In the parent: what the child reported, when it has left as `expected`.

        `wait(deadline)` answers the exit code. Raises the child's error, or AssertionError when it
        hung, died, or left with another exit code.
        """
        os.close(self.writing)
        deadline = time.monotonic() + self.timeout + GRACE
        with self.stacks:
            report = _read_report(self.reading, deadline)
            exit_code = wait(deadline)
            self.stacks.seek(0)
            return _judge(report, exit_code, expected, self.stacks.read())


def reap(pid: int, deadline: float) -> int:
    """The exit code of a child, negative for a signal; past the deadline the child is killed."""
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
            break
        time.sleep(0.0005)
    return os.waitstatus_to_exitcode(ended[1])


def end_unwound_child(error: BaseException | None = None) -> NoReturn:
    """End a child whose test has been unwound, as the interpreter ends when its main code has.

    By `error`, or because the child ran off the test's end.
    """
    if error is not None:
        # The frames hold what the test held; pytest's, which are still running, hold the error.
        error.__traceback__ = error.__context__ = None
    ctypes.pythonapi.Py_Exit(0 if error is None or isinstance(error, SystemExit) else 1)
    raise AssertionError("unreachable")


def _arm_alarm(stacks: IO[str], timeout: float) -> None:
    """Let a hang write every thread's stack and then kill, whatever the interpreter is doing."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, file=stacks, all_threads=True, chain=True)
    signal.setitimer(signal.ITIMER_REAL, timeout)


def _report(writing: int, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        report = (fn(*args), None, "")
    except BaseException as error:
        report = (None, error, traceback.format_exc())
    try:
        data = pickle.dumps(report)
    except Exception as unpicklable:
        text = report[2] or f"the result {report[0]!r} does not pickle: {unpicklable}"
        data = pickle.dumps((None, AssertionError("see the child's traceback"), text))
    with open(writing, "wb") as pipe:
        pipe.write(data)


def _leave(leave: str) -> NoReturn:
    if leave == "sys.exit":
        sys.exit(0)
    if leave == "exception":
        raise ChildLeaves("a child leaves by an uncaught error, as it should")
    if leave == "signal":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    if leave == "exec":
        os.execvp("true", ["true"])
    os._exit(0)


def _read_report(reading: int, deadline: float) -> bytes:
    chunks = []
    with contextlib.closing(open(reading, "rb", buffering=0)) as pipe:
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            chunk = pipe.read(65536)
            if not chunk:
                break
            chunks.append(chunk)
    return b"".join(chunks)


def _judge(report: bytes, exit_code: int, expected: int, stacks: str) -> Any:
    if exit_code in (-signal.SIGALRM, -signal.SIGKILL):
        pytest.fail(f"the child hung; its threads were at\n{stacks}", pytrace=False)
    result, error, text = pickle.loads(report) if report else (None, None, "")
    if error is not None:
        raise error from ChildTraceback(text)
    assert report, f"the child died without a result, exit code {exit_code}"
    assert exit_code == expected, f"the child left with {exit_code} instead of {expected}"
    return result
