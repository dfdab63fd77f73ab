"""Clients over HTTP, which check each answer against what they asked."""

from __future__ import annotations

import http.client
import itertools
import json
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any

from tests.managers.answers import Answer
from tests.managers.manager import PATIENCE, wait_until


class Wrong(Exception):
    """What came back is not the answer to what was asked."""


def fetch(port: int, path: str) -> dict[str, Any]:
    """GET over a connection of its own, as managers close those of workers that they retire."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise Wrong(f"{path}: {response.status} {body[:2000]!r}")
    answer: dict[str, Any] = json.loads(body)
    return answer


def echo(port: int, way: str) -> Answer:
    """Send a token through the database by this way. Raises Wrong if another one comes back."""
    token = secrets.token_hex(8)
    answer = fetch(port, f"/{way}/echo?token={token}")
    if answer["token"] != token:
        raise Wrong(f"asked {token}, got {answer}")
    return Answer(answer["pid"], answer["session"])


class Clients:
    """Threads that ask by one way after the other, from the beginning of a `with` to its end."""

    def __init__(self, port: int, ways: Iterable[str], count: int = 4) -> None:
        self.port = port
        self.ways = tuple(ways)
        self.answers: list[Answer] = []
        self.failures: list[str] = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(n,), daemon=True) for n in range(count)
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a request hangs"
        assert not self.failures, self.failures[:5]

    @property
    def pids(self) -> set[int]:
        """The processes that have answered."""
        return {answer.pid for answer in list(self.answers)}

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Until `condition()` is true. Raises AssertionError at once when a request has failed."""

        def look() -> object:
            assert not self.failures, self.failures[:5]
            return condition()

        wait_until(look, what)

    def wait_for_answers(self, more: int) -> None:
        """Until `more` requests have had their right answers."""
        wanted = len(self.answers) + more
        self.wait_until(lambda: len(self.answers) >= wanted, f"{more} more answers")

    def _ask_on(self, first: int) -> None:
        for n in itertools.count(first):
            # A worker that ends, or starts, needs a processor too.
            if self._ended.wait(0.005):
                return
            way = self.ways[n % len(self.ways)]
            try:
                self.answers.append(echo(self.port, way))
            except Exception as error:  # whatever it is, the test shows it
                self.failures.append(f"{way}: {error!r}")
