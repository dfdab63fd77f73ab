"""The table of recorded runs, tests/CONFORMANCE.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.conformance import REPOSITORY
from tests.conformance.outcome import Outcome

PAGE = REPOSITORY / "tests" / "CONFORMANCE.md"
BEGIN, END = "<!-- runs -->", "<!-- end of runs -->"
FAILURES_BEGIN, FAILURES_END = "<!-- failures -->", "<!-- end of failures -->"
EXCEPTIONS_BEGIN, EXCEPTIONS_END = "<!-- exceptions -->", "<!-- end of exceptions -->"

#: A run replaces the one that is the same in these.
KEY = ("source", "selection", "driver", "pool", "transport", "server", "python")
COUNTED = ("tests", "passed", "skipped", "expected", "failed")
COLUMNS = ("suite", *KEY[1:], *COUNTED, "seconds", "date")
HEADER = {"expected": "failed as expected", "failed": "failed (named below)"}


def record(outcome: Outcome, exceptions: Mapping[str, Mapping[str, str]]) -> None:
    """Put the run into the table, in place of an older one of the same kind.

    `exceptions` are all there are, by suite: the list under the table is written anew.
    """
    text = PAGE.read_text()
    rows = {_key(row): row for row in _rows(_between(text, BEGIN, END))}
    new = _row(outcome)
    rows[_key(new)] = new
    text = _put(text, BEGIN, END, _table(rows.values()))
    failed = _failures(_between(text, FAILURES_BEGIN, FAILURES_END), outcome, _key(new))
    text = _put(text, FAILURES_BEGIN, FAILURES_END, failed)
    PAGE.write_text(_put(text, EXCEPTIONS_BEGIN, EXCEPTIONS_END, _list(exceptions)))


def _row(outcome: Outcome) -> tuple[str, ...]:
    counts = outcome.counts()
    failed = counts["failed"] + counts["error"] + counts["unexpected"]
    numbers = {
        "tests": len(outcome.ends),
        "passed": counts["passed"],
        "skipped": counts["skipped"],
        "expected": counts["expected"],
        "failed": failed,
        "seconds": round(outcome.seconds),
    }
    facts = {**outcome.facts, **{name: f"{number:,}" for name, number in numbers.items()}}
    facts["suite"] = (
        facts["source"]
        if facts["suite"] in facts["source"].lower()
        else (f"{facts['suite']} of {facts['source']}")
    )
    return tuple(facts[column] for column in COLUMNS)


def _key(row: tuple[str, ...]) -> tuple[str, ...]:
    # The driver without its version: a new version replaces the old one's row.
    found = dict(zip(COLUMNS, row, strict=True))
    found["driver"] = found["driver"].split()[0]
    return tuple(found[column] for column in ("suite", *KEY[1:]))


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = [
        "| " + " | ".join(HEADER.get(column, column) for column in COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *("| " + " | ".join(row) + " |" for row in sorted(rows, key=_key)),
    ]
    return "\n".join(lines)


def _rows(table: str) -> list[tuple[str, ...]]:
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[1:]]


def _failures(text: str, outcome: Outcome, key: tuple[str, ...]) -> str:
    """A line for each test that failed, those of this run written anew."""
    run = f"* {', '.join(key)}: "
    kept = [line for line in text.splitlines() if line and not line.startswith(run)]
    new = [f"{run}`{name}` {_brief(why)}" for name, why in outcome.bad().items()]
    return "\n".join(sorted([*kept, *new]))


def _brief(why: str) -> str:
    """The first words of a reason, such that a page can hold them: the same in every run."""
    why = re.sub(r" at 0x[0-9a-f]+", "", why)
    return " ".join(why.split())[:150].replace("|", "/").replace("<", "&lt;").rstrip()


def _list(exceptions: Mapping[str, Mapping[str, str]]) -> str:
    suites: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for suite, named in exceptions.items():
        suites.setdefault(tuple(named.items()), []).append(suite)
    lines = []
    for causes, names in suites.items():
        lines.append(f"**{', '.join(names)}**" + ("" if causes else ": none"))
        lines.extend(f"* `{name}`: {cause}" for name, cause in causes)
        lines.append("")
    return "\n".join(lines).strip()


def _between(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0]


def _put(text: str, begin: str, end: str, new: str) -> str:
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n{new}\n{end}{after}"
