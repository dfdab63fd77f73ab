"""Answers, by whom and on which session of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A right answer, by this process on this session."""

    pid: int
    session: int


def opened(facts: dict[str, Any]) -> set[Answer]:
    """What a process that imported the application has reported as "import"."""
    return {Answer(facts["pid"], n) for n in (facts["held"], *facts["sessions"].values())}


def users(answers: Iterable[Answer]) -> dict[int, set[int]]:
    """The processes that have used each session; a session with two of them is a disaster."""
    found: dict[int, set[int]] = {}
    for answer in answers:
        found.setdefault(answer.session, set()).add(answer.pid)
    return found
