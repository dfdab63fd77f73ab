"""`python -m benches.cost`: what fork safety costs a call, against the same build without it."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from pathlib import Path

from benches.builds import BUILDS, program
from benches.figures import Figures, table
from benches.header import header
from benches.record import arguments, publish

# What each build says a call takes, in nanoseconds, by what is called.
Measured = dict[str, dict[str, Figures]]


def main() -> None:
    """Build twice, let the two take turns, print what differs."""
    asked = arguments("cost", rounds=21)
    programs = {build: program(build) for build in BUILDS}
    head = header([])
    measured: Measured = {build: defaultdict(Figures) for build in BUILDS}
    for turn in range(asked.rounds):
        # Who goes first alternates: a machine that warms up favours nobody.
        for build in BUILDS if turn % 2 else reversed(BUILDS):
            _run(programs[build], build, measured[build])
    text = f"{head}; {_rustc()}; {asked.rounds} rounds of each.\n\n{_table(measured)}"
    publish("cost", text, asked)


def _run(executable: Path, build: str, measured: dict[str, Figures]) -> None:
    done = subprocess.run([executable], check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert lines[0] == ["checks", build], f"not the build {build!r}: {lines[0]}"
    for name, nanoseconds in lines[1:]:
        measured[name].add(float(nanoseconds))


def _table(measured: Measured) -> str:
    rows = []
    for name, checked in measured["with"].items():
        unchecked = measured["without"][name]
        costs = checked.less(unchecked)
        low, high = costs.quartiles
        rows.append(
            (
                name,
                f"{unchecked.median:.2f}",
                f"{checked.median:.2f}",
                f"{costs.median:+.2f}",
                f"{low:+.2f} to {high:+.2f}",
                f"{checked.median / unchecked.median:.3f}",
            )
        )
    return table(("ns a call", "without", "with", "costs", "half of the rounds", "ratio"), rows)


def _rustc() -> str:
    done = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True)
    return " ".join(done.stdout.split()[:2])


if __name__ == "__main__":
    main()
