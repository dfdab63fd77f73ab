"""One run of the core tests, and the table that several of them make."""

from __future__ import annotations

import argparse
import datetime
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "tests" / "RESULTS.md"
HEADER = ("tests", "passed", "failed", "skipped", "seconds", "date")


@dataclass(frozen=True)
class Count:
    """How the tests of a run ended. None ran where pytest itself could not."""

    passed: int
    failed: int
    skipped: int
    seconds: float

    @property
    def well(self) -> bool:
        """Whether tests ran and none failed."""
        return self.passed > 0 and not self.failed

    def cells(self) -> tuple[str, ...]:
        """For a row under `HEADER`."""
        numbers = (self.passed + self.failed + self.skipped, self.passed, self.failed, self.skipped)
        today = str(datetime.date.today())
        return (*(f"{number:,}" for number in numbers), f"{self.seconds:,.0f}", today)


def core(python: Path, *arguments: str) -> Count:
    """Run the core tests by `python`, with more `arguments` of pytest; what it says is printed."""
    with tempfile.TemporaryDirectory(prefix="versions-") as directory:
        report = Path(directory, "report.xml")
        command = [python, "-m", "pytest", "--core", "-q", f"--junitxml={report}", *arguments]
        started = time.monotonic()
        subprocess.run(command, cwd=ROOT, env=_environment())
        return _count(report, time.monotonic() - started)


def _environment() -> dict[str, str]:
    """Ours, without what names another interpreter's packages or another server."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "FORKSAFE_TEST_DSN")
    return {name: value for name, value in os.environ.items() if name not in left_out}


def _count(report: Path, seconds: float) -> Count:
    if not report.exists():
        return Count(0, 1, 0, seconds)
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    said = [{name: int(suite.get(name, 0)) for name in NAMES} for suite in suites]
    total = {name: sum(each[name] for each in said) for name in NAMES}
    failed = total["failures"] + total["errors"]
    return Count(total["tests"] - failed - total["skipped"], failed, total["skipped"], seconds)


NAMES = ("tests", "failures", "errors", "skipped")


def options(program: str, what: str, names: Sequence[str], **flags: str) -> argparse.Namespace:
    """The command line: which of `names`, how pytest is to run, whether to `record`.

    `flags` are further options, each with what it means.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.versions.{program}")
    parser.add_argument(what, nargs="*", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--record", action="store_true", help="put the table in tests/RESULTS.md")
    parser.add_argument("--pytest", default="", help='more options, such as "-x -k pool"')
    for flag, meaning in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=meaning)
    asked = parser.parse_args()
    chosen = getattr(asked, what) or list(names)
    if unknown := set(chosen) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(names)}")
    setattr(asked, what, chosen)
    return asked


def publish(name: str, first: Sequence[str], rows: Sequence[Sequence[str]], record: bool) -> None:
    """Print the table of `rows`; to record it, put them among the rows that RESULTS.md has.

    A row takes the place of the one whose first cell is of the same release.
    """
    print("\n" + _table(first, [_line(row) for row in rows]))
    if not record:
        return
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(begin) + "(.*?)" + re.escape(end), re.DOTALL)
    old = RESULTS.read_text()
    if not (place := pattern.search(old)):
        raise ValueError(f"{RESULTS.name} has no place for the table of {name}")
    # Without the header and the line below it.
    lines = [line for line in place[1].splitlines() if line.startswith("| ")][1:]
    by_release = {_release(line): line for line in [*lines, *map(_line, rows)]}
    table = _table(first, [by_release[release] for release in sorted(by_release)])
    RESULTS.write_text(pattern.sub(lambda _: f"{begin}\n{table}\n{end}", old))


def _table(first: Sequence[str], lines: Sequence[str]) -> str:
    header = (*first, *HEADER)
    return "\n".join([_line(header), "|" + "---|" * len(header), *lines])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _release(line: str) -> str:
    """Of a row: "3.14" of one that begins with 3.14.6."""
    return ".".join(line.split("|")[1].strip().split(".")[:2])
