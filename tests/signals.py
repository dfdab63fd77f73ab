"""Signals that come in the middle of a statement."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.watched import Witness


class Raised(Exception):
    """What a signal handler of a program raises."""


@contextlib.contextmanager
def handler(number: int, handle: Callable[..., Any]) -> Iterator[None]:
    """Handle a signal in the block."""
    before = signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextlib.contextmanager
def raising(number: int, error: type[BaseException]) -> Iterator[None]:
    """In the block, the handler of the signal raises `error`."""

    def handle(*_: object) -> None:
        raise error

    with handler(number, handle):
        yield


def cut_off(
    act: Callable[[], object],
    begun: Callable[[], object],
    number: int = signal.SIGINT,
    error: type[BaseException] = KeyboardInterrupt,
) -> BaseException:
    """What comes out of `act` when `begun()` is over and a signal comes that raises `error`."""

    def send() -> None:
        begun()
        # What the server has begun may not be waited for yet, but for rows that came before.
        time.sleep(0.2)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    with raising(number, error):
        thread.start()
        try:
            with pytest.raises(error) as caught:
                act()
        finally:
            # Another exception may have come first: then the signal comes here.
            with contextlib.suppress(error):
                thread.join()
            thread.join()
    return caught.value


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)


def until_running(witness: Witness, session: int, part: str = "") -> None:
    """Until a session is in the middle of a statement that has `part` in it."""
    where = f"ID = {session} AND COMMAND IN ('Query', 'Execute') AND INFO LIKE '%%{part}%%'"
    until(lambda: witness.ask(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE {where}"))


@contextlib.contextmanager
def in_thread(act: Callable[[], object]) -> Iterator[None]:
    """`act` runs beside the block, and is waited for; what it raises matters to nobody."""

    def run() -> None:
        with contextlib.suppress(Exception):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
