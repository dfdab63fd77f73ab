"""Clients: each asks, checks the answer against what it asked, and counts it."""

from __future__ import annotations

import http.client
import json
import secrets
import threading
from dataclasses import dataclass
from typing import Any

from examples.demo import pace
from examples.demo.tally import HTTP, HUNG, RIGHT, WRONG, Tally, error_outcome


@dataclass(frozen=True)
class Question:
    """A path, and what a right answer to it must say."""

    path: str
    expected: dict[str, Any]


def question(n: int, shift: str) -> Question:
    """The n-th question of a client in a burst: a ticket, every fifth time the ledger."""
    token = secrets.token_hex(8)
    if n % 5 == 4:
        # No entry may be seen before the master has committed.
        return Question(f"/ledger/{shift}?token={token}", {"token": token, "entries": 0})
    return _about_a_ticket("", token)


def question_with_job() -> Question:
    """A ticket, by the page that also starts a background job in its worker."""
    return _about_a_ticket("/job", secrets.token_hex(8))


def _about_a_ticket(page: str, token: str) -> Question:
    number = secrets.randbelow(pace.TICKETS)
    expected = {"token": token, "number": number, "text": f"ticket {number}"}
    return Question(f"/tickets/{number}{page}?token={token}", expected)


@dataclass(frozen=True)
class Clients:
    """All clients of one phase. `shift` names the phase in the ledger."""

    port: int
    shift: str
    tally: Tally

    def burst(self) -> list[threading.Thread]:
        """Start them. They are daemons: an interrupted demo does not wait for a hung request."""
        clients = [
            threading.Thread(target=self._one_client, daemon=True) for _ in range(pace.CLIENTS)
        ]
        for client in clients:
            client.start()
        return clients

    def start_job(self) -> None:
        """Have one worker start a background job."""
        self.ask(question_with_job())

    def ask(self, asked: Question) -> None:
        """Ask one question and count how it ended."""
        try:
            status, body = fetch(self.port, asked.path)
        except TimeoutError:
            self.tally.count(HUNG)
        except (OSError, http.client.HTTPException) as error:
            self.tally.count(HTTP, repr(error))
        else:
            self._judge(asked, status, body)

    def _one_client(self) -> None:
        for n in range(pace.REQUESTS):
            self.ask(question(n, self.shift))

    def _judge(self, asked: Question, status: int, body: bytes) -> None:
        try:
            answer = json.loads(body)
        except ValueError:
            self.tally.count(HTTP, f"{status} {body[:200]!r}")
            return
        if status == 500:
            self.tally.count(error_outcome(answer), f"{answer['error']}: {answer['text']}")
            return
        if status == 200:
            self.tally.note(answer)
        # A 404 is as wrong as another request's row: every ticket that is asked for exists.
        right = asked.expected.items() <= answer.items()
        self.tally.count(RIGHT if right else WRONG, f"asked {asked.expected}, got {answer}")


def fetch(port: int, path: str) -> tuple[int, bytes]:
    """GET over a connection of its own, as retiring workers close theirs."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=pace.PATIENCE)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
