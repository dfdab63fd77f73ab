"""How each test of a run ended, and how two runs differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What a test can come to; a bad one outranks what else its parts came to.
ENDS = ("passed", "skipped", "expected", "unexpected", "failed", "error")
BAD = ("unexpected", "failed", "error")
#: A test that is expected to fail says nothing of the driver, as little as one that is left out.
NOT_RUN = ("skipped", "expected")
#: In what two runs must agree, such that one is a measure of the other.
AGREED = ("source", "selection", "server", "python")


@dataclass
class Outcome:
    """One run. `ends` and `why` are by the test's name; `finished` is False for a run cut short.

    One with fewer tests than the suite must have counts as cut short too.
    """

    facts: dict[str, str]
    ends: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    finished: bool = False

    def read_lines(self, path: Path) -> None:
        """Take in what a recorder wrote."""
        for line in path.read_text().splitlines() if path.exists() else ():
            note = json.loads(line)
            name, ended = note["test"], note["ended"]
            if ENDS.index(ended) >= ENDS.index(self.ends.get(name, "passed")):
                self.ends[name], self.why[name] = ended, note["why"]

    def counts(self) -> Counter[str]:
        """How many ended in each way."""
        return Counter(self.ends.values())

    def bad(self) -> dict[str, str]:
        """The tests that did not do as they should, and why."""
        return {name: self.why[name] for name, end in self.ends.items() if end in BAD}

    def differing(self, other: Outcome) -> dict[str, str]:
        """Of what two runs must agree in, what they differ in, and what `other` has there."""
        return {
            fact: other.facts.get(fact, "unknown")
            for fact in AGREED
            if self.facts.get(fact) != other.facts.get(fact)
        }

    def measures(self) -> bool:
        """Whether a run on mysqlclient can be a measure: a broken one would forgive everything."""
        return self.finished and self.counts()["passed"] >= len(self.bad())

    def summary(self) -> str:
        """One line of counts."""
        counts = self.counts()
        parts = [f"{counts[end]} {end}" for end in ENDS if counts[end] or end in BAD[1:]]
        cut = "" if self.finished else "; CUT SHORT"
        return f"{len(self.ends)} tests: {', '.join(parts)} in {self.seconds:.0f} s{cut}"

    def save(self, path: Path) -> None:
        """Write all of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(vars(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Outcome:
        """What `save` wrote."""
        fields: dict[str, Any] = json.loads(path.read_text())
        return cls(**fields)


@dataclass(frozen=True)
class Comparison:
    """What a run on forksafe shows beside one on mysqlclient, each with the reason."""

    #: Passed there, failed here: what must not be.
    worse: dict[str, str]
    #: Passed there, and did not run here: skipped, expected to fail, or missing.
    not_run: dict[str, str]
    #: Fails in both.
    both: dict[str, str]
    #: Failed there, passes here.
    better: dict[str, str]


def compare(ours: Outcome, theirs: Outcome | None) -> Comparison:
    """The differences; a suite without a run on mysqlclient is one that passes there whole."""
    if theirs is None:
        return Comparison(worse=ours.bad(), not_run={}, both={}, better={})
    bad_there = theirs.bad()
    bad_here = ours.bad()
    return Comparison(
        worse={name: why for name, why in bad_here.items() if name not in bad_there},
        not_run={
            name: ours.why.get(name, "missing")
            for name, end in theirs.ends.items()
            if end == "passed" and ours.ends.get(name, "skipped") in NOT_RUN
        },
        both={name: why for name, why in bad_here.items() if name in bad_there},
        better={name: why for name, why in bad_there.items() if ours.ends.get(name) == "passed"},
    )


def unexplained(found: Mapping[str, str], exceptions: Mapping[str, str]) -> dict[str, str]:
    """Those that no exception names; one that ends in `*` names all that begin so."""
    return {
        name: why
        for name, why in found.items()
        if not any(
            name.startswith(known[:-1]) if known.endswith("*") else name == known
            for known in exceptions
        )
    }
