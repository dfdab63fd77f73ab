"""What `python -m tests.conformance` concludes from runs of other projects' suites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import report
from tests.conformance.outcome import Outcome, compare, unexplained
from tests.conformance.suite import INSIDE

SUITE = """
import unittest

class Kinds(unittest.TestCase):
    def test_passes(self): pass
    def test_fails(self): self.fail("so it is")
    def test_breaks(self): raise LookupError("gone")
    @unittest.skip("not today")
    def test_is_skipped(self): pass
    @unittest.expectedFailure
    def test_is_known_to_fail(self): self.fail()
    def test_fails_in_part(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)
    def test_runs_tests_of_its_own(self):
        inner = unittest.TestSuite([Kinds("test_breaks")])
        unittest.TextTestRunner().run(inner)

unittest.main()
"""

FACTS = {
    **{"suite": "django", "selection": "core", "source": "Django 5.2.19", "pool": "off"},
    **{"transport": "tcp", "server": "MariaDB 10.11.19", "python": "3.11.7"},
    **{"driver": "forksafe 0.1.0", "date": "2026-11-22"},
}


def outcome(**ends: str) -> Outcome:
    return Outcome(FACTS, ends=ends, why=dict.fromkeys(ends, "a reason"), finished=True)


def test_the_recorder_tells_how_each_test_of_a_script_ended(tmp_path: Path) -> None:
    script, lines = tmp_path / "suite.py", tmp_path / "lines"
    script.write_text(SUITE)
    command = [sys.executable, str(INSIDE / "recorder.py"), str(lines), str(script)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 1
    found = Outcome({})
    found.read_lines(lines)
    assert {name.rpartition("_")[2]: end for name, end in found.ends.items()} == {
        "passes": "passed",
        "fails": "failed",
        "breaks": "error",
        "skipped": "skipped",
        "fail": "expected",
        "part": "failed",
        "own": "passed",
    }
    assert found.why["__main__.Kinds.test_breaks"] == "LookupError: gone"


def test_the_recorder_of_pytest_tells_how_each_test_ended(tmp_path: Path) -> None:
    (tmp_path / "test_kinds.py").write_text(
        SUITE.replace("unittest.main()", "").replace("unittest.TextTestRunner().run(inner)", "")
    )
    lines = tmp_path / "lines"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "pytest_recorder",
        "-p",
        "no:cacheprovider",
    ]
    environment = {"PYTHONPATH": str(INSIDE), "FORKSAFE_CONFORMANCE_OUTCOMES": str(lines)}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    found = Outcome({})
    found.read_lines(lines)
    assert {name.rpartition("_")[2]: end for name, end in found.ends.items()} == {
        "passes": "passed",
        "fails": "failed",
        "breaks": "failed",
        "skipped": "skipped",
        "fail": "expected",
        "part": "failed",
        "own": "passed",
    }


def test_what_passes_on_mysqlclient_alone_is_worse() -> None:
    theirs = outcome(a="passed", b="passed", c="passed", d="failed", e="error", f="skipped")
    ours = outcome(a="passed", b="failed", c="skipped", d="failed", e="passed", f="skipped")
    found = compare(ours, theirs)
    assert (set(found.worse), set(found.not_run)) == ({"b"}, {"c"})
    assert (set(found.both), set(found.better)) == ({"d"}, {"e"})
    del ours.ends["a"], ours.why["a"]
    assert compare(ours, theirs).not_run["a"] == "missing"
    assert set(compare(ours, None).worse) == {"b", "d"}


def test_an_exception_is_named_by_its_whole_name_or_by_how_it_begins() -> None:
    found = {"app.tests.One.test_a": "", "app.tests.One.test_ab": "", "app.tests.Two.test_a": ""}
    known = {"app.tests.One.test_a": "a cause", "app.tests.Two.*": "a cause"}
    assert set(unexplained(found, known)) == {"app.tests.One.test_ab"}


def test_a_recorded_run_takes_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "PAGE.md"
    page.write_text(report.PAGE.read_text())
    monkeypatch.setattr(report, "PAGE", page)
    report.record(outcome(a="passed", b="failed"), {"django": {"b": "why it is so"}})
    assert "| 2 | 1 | 0 | 0 | 1 |" in page.read_text()
    assert "`b` a reason" in page.read_text()
    report.record(outcome(a="passed", b="passed"), {"django": {}})
    report.record(outcome(a="passed", b="passed"), {"django": {}})
    text = page.read_text()
    [row] = [
        line
        for line in text.splitlines()
        if "| core | forksafe 0.1.0 | off | tcp | MariaDB 10.11.19 | 3.11.7 |" in line
    ]
    assert "| 2 | 2 | 0 | 0 | 0 |" in row
    assert "`b` a reason" not in text
    assert "**django**: none" in text
