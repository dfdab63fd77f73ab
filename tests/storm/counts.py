"""What a storm has counted, and which of it must be zero."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

# Any of these that is not zero fails the storm.
MUST_BE_ZERO = {
    "hung": "children and threads that hung",
    "wrong": "wrong answers",
    "unexpected": "errors that nobody provoked",
    "silent": "children that died without a report",
    "misled": "children that ended otherwise than they were told to",
    "parent_lost": "sessions lost by the parent",
    "rows_lost": "rows too few or too many",
    "parent_gained": "descriptors gained by the parent",
    "child_gained": "descriptors gained by children",
    "sessions_left": "server sessions left over",
    "aborted_beyond": "aborted sessions beyond these, or too few",
    "memory_beyond": "MiB of memory beyond the bound",
}
SHOWN = {
    "seed": "seed",
    "forks": "forks",
    "by_thread": "of these by a thread that is not the main one",
    "answered": "children that reported",
    "forked_again": "children that forked while their threads used the pool",
    "seconds": "seconds",
    "forks_per_second": "forks per second",
    "parent_checked": "answers checked in the parent",
    "child_checked": "answers checked in children",
    "rows": "rows committed by children",
    "inherited_sockets": "sockets that children found, and let go of",
    "parent_connects": "sessions opened by the parent's threads",
    "pool_timeouts": "check-outs that timed out, as they should",
    "killed": "sessions of their own that the parent's threads killed",
    "refused": "inherited connections that answered 2006, as they should",
    "aborted": "sessions left open by children that ended abruptly",
    "perhaps_aborted": "by children that were finalised beside leaked frames",
    "finalised": "by children that were finalised, which says goodbye",
    "peak_sessions": "most server sessions seen at once",
    "memory_early": "MiB of the parent at a tenth of the forks",
    "memory_late": "MiB of the parent at the end",
}
MOST_NOTES = 8
MOST_BYTES = 4000  # less than PIPE_BUF: such writes do not mix


class Counts(Counter[str]):
    """Counts by name (see `SHOWN`, `MUST_BE_ZERO`), and notes on what went wrong.

    Names that start with "ends: " and "error: " are shown as they are.
    """

    def __init__(self, counted: Mapping[str, int] | None = None, notes: Sequence[str] = ()) -> None:
        super().__init__(counted or {})
        self.notes = list(notes)

    def note(self, name: str, text: str, count: int = 1) -> None:
        """Count what should not be, and keep the first few texts."""
        self[name] += count
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{name}: {text}")

    def add(self, other: Counts) -> None:
        """Take in what another thread or process has counted."""
        self.update(other)
        self.notes += other.notes[: max(0, MOST_NOTES - len(self.notes))]

    def failures(self) -> dict[str, int]:
        """What should be zero and is not."""
        return {name: self[name] for name in MUST_BE_ZERO if self[name]}

    def to_json(self) -> str:
        """For another process, on one line."""
        return json.dumps([dict(self), self.notes])

    def to_report(self) -> bytes:
        """The same, short enough for a pipe that several processes write to at once."""
        notes = list(self.notes)
        while len(report := json.dumps([dict(self), notes]).encode()) > MOST_BYTES:
            notes.pop()
        return report

    @classmethod
    def from_json(cls, text: str | bytes) -> Counts:
        """The counts that `to_json` or `to_report` wrote."""
        return cls(*json.loads(text))


def table(columns: Mapping[str, Counts]) -> str:
    """One line a count, one column a storm; what must be zero comes last."""
    others = sorted({name for counts in columns.values() for name in counts if ": " in name})
    titles = {**SHOWN, **{name: name for name in others}, **MUST_BE_ZERO}
    width = max(map(len, titles.values()))

    def line(title: str, cells: Sequence[object]) -> str:
        return title.ljust(width) + "".join(str(cell).rjust(14) for cell in cells)

    lines = [line("", list(columns))]
    for name, title in titles.items():
        if name in ("hung", next(iter(others), None)):
            lines.append("")
        lines.append(line(title, [counts[name] for counts in columns.values()]))
    return "\n".join(lines)
