"""Run a script of unittest tests as `python SCRIPT …` does, and write down how each test ended.

    python recorder.py OUTCOMES SCRIPT [argument …]

OUTCOMES gets a line of JSON for each test: its name, how it ended, and why. It runs in the
environment of the suite, which has no package of ours but forksafe: it imports nothing else.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import unittest
from typing import Any, ClassVar, TextIO

ORDINARY = unittest.TextTestRunner.resultclass


class RecordedResult(ORDINARY):  # type: ignore[valid-type,misc]
    """The first result of this process writes what it is told; later ones are tests' own."""

    lines: ClassVar[TextIO]
    first: ClassVar[RecordedResult | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if RecordedResult.first is None:
            RecordedResult.first = self
            self.maker = os.getpid()

    def _note(self, test: Any, ended: str, why: str = "") -> None:
        if self is RecordedResult.first and os.getpid() == self.maker:
            name = test.id() if hasattr(test, "id") else str(test)
            self.lines.write(json.dumps({"test": name, "ended": ended, "why": why}) + "\n")
            self.lines.flush()

    def addSuccess(self, test: Any) -> None:
        super().addSuccess(test)
        self._note(test, "passed")

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, "failed", _last_line(err))

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "error", _last_line(err))

    def addSkip(self, test: Any, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        super().addExpectedFailure(test, err)
        self._note(test, "expected", _last_line(err))

    def addUnexpectedSuccess(self, test: Any) -> None:
        super().addUnexpectedSuccess(test)
        self._note(test, "unexpected")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", _last_line(err))


def _last_line(err: Any) -> str:
    text = f"{err[0].__name__}: {err[1]}".strip()
    return text[:400]


def main() -> None:
    outcomes, script, *arguments = sys.argv[1:]
    unittest.TextTestRunner.resultclass = RecordedResult
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    with open(outcomes, "w") as RecordedResult.lines:
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
