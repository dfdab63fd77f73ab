"""A plugin of pytest (`-p pytest_recorder`) that writes down how each test ended.

FORKSAFE_CONFORMANCE_OUTCOMES names the file: a line of JSON for each test, as recorder.py has it.
FORKSAFE_CONFORMANCE_LEFT_OUT is a regular expression of what is left out of the tests' names, for
a suite that puts the driver into them.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

PATH = os.environ["FORKSAFE_CONFORMANCE_OUTCOMES"]
LEFT_OUT = os.environ.get("FORKSAFE_CONFORMANCE_LEFT_OUT", "$^")
MAKER = os.getpid()


def pytest_runtest_logreport(report: Any) -> None:
    """Of the three parts of a test, note the call, and what else did not pass."""
    if os.getpid() != MAKER or (report.passed and report.when != "call"):
        return
    with open(PATH, "a") as lines:
        note = {"test": _name(report), "ended": _ended(report), "why": _why(report)}
        lines.write(json.dumps(note) + "\n")


def pytest_collectreport(report: Any) -> None:
    """A module that cannot be collected is an error under its own name."""
    if report.failed or report.skipped:
        with open(PATH, "a") as lines:
            ended = "error" if report.failed else "skipped"
            note = {"test": _name(report), "ended": ended, "why": _why(report)}
            lines.write(json.dumps(note) + "\n")


def _name(report: Any) -> str:
    return re.sub(LEFT_OUT, "", report.nodeid)


def _ended(report: Any) -> str:
    if hasattr(report, "wasxfail"):
        return "expected" if report.skipped else "unexpected"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return str(report.outcome)


def _why(report: Any) -> str:
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):  # of a skipped test: file, line, reason
        return str(report.longrepr[2])[:400]
    crash = getattr(report.longrepr, "reprcrash", None)
    return (str(crash.message) if crash else _error(str(report.longrepr)))[:400]


def _error(text: str) -> str:
    """Of a module that cannot be collected, the error itself: no paths of this machine."""
    errors = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return errors[-1] if errors else text
