"""An account whose password changes, and callables that are asked for it."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server

NUMBERS = itertools.count(1)
HANG = 20.0  # seconds after which a test that waits has failed


class Account:
    """An account whose password changes, and a callable that knows the current one."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = f"rotating{os.getpid()}_{next(NUMBERS)}"
        self.password = ""
        self.calls = 0
        server.execute_as_root(
            f"CREATE USER {self.user}@'%'; GRANT ALL ON {server.database}.* TO {self.user}@'%'"
        )
        self.rotate()

    def rotate(self) -> None:
        """Change the password on the server; sessions that are open live on."""
        self.password = f"hush-{next(NUMBERS)}-token"
        self.server.execute_as_root(f"ALTER USER {self.user}@'%' IDENTIFIED BY '{self.password}'")

    def token(self) -> str:
        self.calls += 1
        return self.password

    def options(self, transport: str = "tcp", **more: Any) -> dict[str, Any]:
        given = {"user": self.user, "password": self.token, **more}
        return self.server.connect_kwargs(transport, **given)


class Hanging:
    """Answers when it is released, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> str:
        self.calls += 1
        self.entered.set()
        assert self.released.wait(HANG)
        return "whatever"

    def release(self) -> None:
        self.released.set()


def one(connection: forksafe.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def refusal(opener: Callable[..., Any], **options: Any) -> forksafe.OperationalError:
    """The error of a connect whose credentials cannot be had; no server is asked."""
    with pytest.raises(forksafe.OperationalError) as caught:
        opener(host="127.0.0.1", port=1, **options)
    assert caught.value.args[0] == 2000, caught.value
    return caught.value


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + HANG
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
