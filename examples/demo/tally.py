"""What one column is counted by. Every request ends in exactly one of `OUTCOMES`."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

RIGHT, WRONG, HUNG, HTTP = "right", "wrong", "hung", "HTTP"
ERRORS = ("2006", "2013", "2014", "InterfaceError", "other")
OUTCOMES = (RIGHT, WRONG, *ERRORS, HTTP, HUNG)


def error_outcome(error: dict[str, Any]) -> str:
    """The outcome of an answer that names an error, as `site/errors.py` describes it."""
    if str(error["number"]) in ERRORS:
        return str(error["number"])
    return "InterfaceError" if error["error"] == "InterfaceError" else "other"


@dataclass
class Tally:
    """Counts of one column, filled by the clients' threads and by the scenario."""

    outcomes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    answers_by_session: Counter[int] = field(default_factory=Counter)
    pools: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)
    workers: set[int] = field(default_factory=set)
    facts: list[dict[str, Any]] = field(default_factory=list)
    rows_stored: int = 0
    sessions_opened: int = 0
    seconds: float = 0.0
    log: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, outcome: str, example: str = "") -> None:
        """One request has ended. The first example of an outcome is kept, to show."""
        with self._lock:
            self.outcomes[outcome] += 1
            self.examples.setdefault(outcome, example)

    def note(self, answer: dict[str, Any]) -> None:
        """Where an answer says it comes from: process, session, and its pools' own counters."""
        with self._lock:
            self.workers.add(answer["pid"])
            self.answers_by_session[answer["session"]] += 1
            for alias, statistics in answer["pools"].items():
                self.pools[answer["pid"], alias] = statistics

    @property
    def asked(self) -> int:
        """Requests that have ended, one way or another."""
        return self.outcomes.total()

    @property
    def errors(self) -> int:
        """Requests answered by an error, or not by the site at all."""
        return sum(self.outcomes[outcome] for outcome in (*ERRORS, HTTP))

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """What the site reported under this kind."""
        return [fact for fact in self.facts if fact["kind"] == kind]

    @property
    def answers_over_the_masters_sessions(self) -> int:
        """Answers that workers gave over a session which the master had opened."""
        owned = {
            session for fact in self.of_kind("master") for session in fact["sessions"].values()
        }
        return sum(self.answers_by_session[session] for session in owned)

    @property
    def rows_written(self) -> int:
        """Rows that the master tried to write in its transactions."""
        return len(self.of_kind("row tried"))

    @property
    def rows_lost(self) -> int:
        """Of those, the rows that are not in the table after all."""
        return self.rows_written - self.rows_stored

    @property
    def commits(self) -> str:
        """What the driver told the master at its commits."""
        told = ["ok" for _ in self.of_kind("commit ok")]
        return (
            ", ".join(told + [error_outcome(fact) for fact in self.of_kind("commit failed")])
            or "never"
        )

    @property
    def jobs(self) -> int:
        """Rounds of background jobs that ended, and of workers' jobs that should have."""
        return len(self.of_kind("job ended")) + self._jobs_without_end

    @property
    def jobs_failed(self) -> int:
        """Rounds with an error or a wrong answer, or cut off with their worker."""
        failed = [fact for fact in self.of_kind("job ended") if not fact.get("right")]
        return len(failed) + self._jobs_without_end

    @property
    def _jobs_without_end(self) -> int:
        # The master's last round is cut off by the end of the phase: that is no failure.
        started, ended = (
            [fact for fact in self.of_kind(kind) if fact["where"] == "worker"]
            for kind in ("job started", "job ended")
        )
        return len(started) - len(ended)

    @property
    def inherited(self) -> int | None:
        """Inherited connections that workers' pools discarded; None if the driver has no pool."""
        if not self.pools:
            return None
        return sum(int(counted["discards"]["inherited"]) for counted in self.pools.values())

    def complaints(self, planned: int) -> list[str]:
        """What is not as if nobody had forked and no session had ended, or did not happen."""
        exits = [fact["code"] for fact in self.of_kind("child exited")]
        wanted = {
            "every request has its right answer": self.outcomes[RIGHT] == self.asked == planned,
            "the master wrote rows and none is lost": self.rows_written > 0 == self.rows_lost,
            "background jobs ran and none failed": self.jobs > 0 == self.jobs_failed,
            "a child of the master exited normally": exits != [] and not any(exits),
        }
        return [f"not so: {wish}" for wish, came_true in wanted.items() if not came_true]
