"""What `python -m tests.conformance` concludes from runs of other projects' suites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mariadb_server import Row, Server
from tests.conformance import __main__ as program
from tests.conformance import environment, report, run
from tests.conformance.drivers_suite import MysqlclientSuite, _quoted
from tests.conformance.outcome import Outcome, compare, unexplained
from tests.conformance.sqlalchemy_suite import SqlalchemyDialectSuite, SqlalchemySuite
from tests.conformance.suite import INSIDE, THEIRS, Command, Plan, Suite

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
    (tmp_path / "test_elsewhere.py").write_text("import nowhere_at_all")
    lines = tmp_path / "lines"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors"),
        *("-p", "pytest_recorder", "-p", "no:cacheprovider"),
    ]
    environment = {"PYTHONPATH": str(INSIDE), "FORKSAFE_CONFORMANCE_OUTCOMES": str(lines)}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60)
    found = Outcome({})
    found.read_lines(lines)
    module = "test_elsewhere.py"
    assert found.ends.pop(module) == "error"
    assert found.why[module] == "ModuleNotFoundError: No module named 'nowhere_at_all'"
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


def test_a_test_that_is_expected_to_fail_here_alone_did_not_run() -> None:
    theirs = outcome(a="passed", b="expected")
    found = compare(outcome(a="expected", b="expected"), theirs)
    assert (set(found.worse), set(found.not_run)) == (set(), {"a"})


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


def test_a_reason_is_the_same_in_every_run() -> None:
    assert report._brief("no <Foo object at 0x7f00a1>\nhere") == "no &lt;Foo object> here"


RUNNER = """
import json, os, signal, sys
lines, ends, last = sys.argv[1:]
with open(lines, "a") as file:
    for number, ended in enumerate(ends.split()):
        print(json.dumps({"test": f"test_{number}", "ended": ended, "why": ""}), file=file)
exec(last)
"""


class ScriptedSuite(Suite):
    """Two tests at least, that end as they are told to; then what the runner does last."""

    name, source, requirements, least = "scripted", "scripted==1", (), 2

    def __init__(self, ends: str, last: str) -> None:
        self.told = (ends, last)

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """The script above."""
        return Command(["-c", RUNNER, str(outcomes), *self.told], directory=source)


class ScriptedServer(Server):
    """It answers every statement the same."""

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)
        self.asked: list[str] = []

    def execute_as_root(self, sql: str) -> list[Row]:
        """No server is asked."""
        self.asked.append(sql)
        return self.rows


class ThisEnvironment(environment.Environment):
    """The interpreter of these tests."""

    def ready(self, **options: bool) -> ThisEnvironment:
        """Nothing to make."""
        self.python = Path(sys.executable)
        return self


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes of these tests go to a place of their own."""
    monkeypatch.setattr(run, "OUTCOMES", tmp_path)


@pytest.mark.parametrize(
    ("ends", "last", "finished"),
    [
        ("passed passed", "", True),
        ("passed failed", "sys.exit(1)", True),
        ("passed error", "sys.exit(1)", True),
        ("passed unexpected", "sys.exit(1)", True),
        ("passed passed", "raise LookupError", False),
        ("passed failed", "sys.exit(2)", False),
        ("passed passed", "sys.exit(5)", False),
        ("passed failed", "os.kill(os.getpid(), signal.SIGKILL)", False),
        ("passed", "", False),
        ("failed", "sys.exit(1)", False),
        ("", "", False),
    ],
)
def test_a_run_is_finished_when_its_runner_says_so_and_enough_tests_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str, last: str, finished: bool
) -> None:
    monkeypatch.setattr(run, "Environment", ThisEnvironment)
    monkeypatch.setattr(run, "fetch", lambda *_: tmp_path)
    server = ScriptedServer(("10.11.19-MariaDB",))
    suite = ScriptedSuite(ends, last)
    assert run.run(suite, Plan("scripted"), server).finished is finished
    if len(ends.split()) == 1 and last in ("", "sys.exit(1)"):
        assert run.run(suite, Plan("scripted", labels=("one",)), server).finished


def test_every_suite_says_how_many_tests_it_has_at_least() -> None:
    for suite in program.SUITES.values():
        whole, core = (suite.fewest(Plan(suite.name, core=core)) for core in (False, True))
        assert whole >= core > 1
        assert suite.fewest(Plan(suite.name, labels=("one",))) == 1


def judged(theirs: Outcome | None, ours: Outcome) -> bool:
    """What is concluded from a run on forksafe, with this one on mysqlclient beside it."""
    if theirs:
        theirs.save(run.saved(Plan("django", driver=THEIRS, core=True)))
    return program._judge(Plan("django", core=True), ours)


def cut_short(**ends: str) -> Outcome:
    return Outcome(FACTS, ends=ends, why=dict.fromkeys(ends, ""))


def test_a_run_on_mysqlclient_forgives_what_fails_there_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = outcome(a="passed", b="passed", c="failed")
    assert judged(theirs, outcome(a="passed", b="passed", c="failed"))
    assert not judged(theirs, outcome(a="passed", b="failed", c="failed"))
    assert not judged(theirs, outcome(a="passed", b="expected", c="failed"))
    assert "beside mysqlclient of 2026-11-22 on Python 3.11.7:" in capsys.readouterr().out


def test_a_run_cut_short_is_not_judged_well() -> None:
    assert judged(None, outcome(a="passed"))
    assert not judged(None, cut_short(a="passed"))
    assert not judged(outcome(a="passed"), cut_short(a="passed"))


@pytest.mark.parametrize(
    "theirs",
    [outcome(a="passed", b="failed", c="error"), cut_short(a="passed", b="passed", c="failed")],
)
def test_a_broken_run_on_mysqlclient_forgives_nothing(
    capsys: pytest.CaptureFixture[str], theirs: Outcome
) -> None:
    assert not judged(theirs, outcome(a="passed", b="passed", c="failed"))
    assert "is no measure" in capsys.readouterr().out


@pytest.mark.parametrize("fact", ["source", "python", "server"])
def test_a_run_on_mysqlclient_of_other_versions_is_no_measure(
    capsys: pytest.CaptureFixture[str], fact: str
) -> None:
    theirs = outcome(a="passed", b="failed")
    theirs.facts = {**FACTS, fact: "another"}
    assert not judged(theirs, outcome(a="passed", b="failed"))
    assert judged(theirs, outcome(a="passed", b="passed"))
    said = capsys.readouterr().out
    assert f"which has {fact} another" in said
    assert "beside no run of mysqlclient:" in said


def test_only_a_whole_run_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded: list[Outcome] = []
    monkeypatch.setattr(program, "record", lambda outcome, _: recorded.append(outcome))
    for one in (outcome(a="passed"), cut_short(a="passed")):
        monkeypatch.setattr(program, "run", lambda *_, one=one: one)
        program._run(Plan("django"), ScriptedServer(), recording=True)
    assert [one.finished for one in recorded] == [True]
    assert "cut short, and so not recorded" in capsys.readouterr().out


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> environment.Environment:
    """An environment in which nothing is installed, and the commands it ran."""
    monkeypatch.setattr(environment, "KEPT", tmp_path)
    new = environment.Environment("made", ["one"])
    (new.directory / "lib" / "python3" / "site-packages").mkdir(parents=True)
    monkeypatch.setattr(new, "_make", lambda: None)
    monkeypatch.setattr(environment, "_run", _nothing_installs)
    return new


def _nothing_installs(*command: str) -> str:
    if "MySQLdb" in command[-1]:
        raise RuntimeError("Traceback\nNo module named 'MySQLdb'")
    return "it needs a compiler" if "mysqlclient-install.sh" in command[0] else ""


def test_mysqlclient_is_needed_for_runs_on_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = made(tmp_path, monkeypatch)
    for _ in range(2):  # tried again
        with pytest.raises(RuntimeError, match=r"it needs a compiler \(No module named 'MySQLdb'"):
            new.ready(mysqlclient=True)
        assert not (new.directory / environment.STAMP).exists()
    new.ready()
    assert (new.directory / environment.STAMP).exists()
    with pytest.raises(RuntimeError, match="no run on mysqlclient here"):
        new.ready(mysqlclient=True)


def test_a_wheel_and_the_package_of_this_process_take_each_others_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = made(tmp_path, monkeypatch)
    packages = new._packages()
    (packages / "forksafe").mkdir()
    (packages / "forksafe-0.0.9.dist-info").mkdir()
    new.ready()
    (described,) = packages.glob("forksafe-*")
    assert {path.name for path in packages.iterdir()} == {described.name, "forksafe.pth"}
    assert described.name != "forksafe-0.0.9.dist-info"
    new.wheel = tmp_path / "a.whl"
    new.ready()
    assert list(packages.iterdir()) == []


def test_a_users_tables_are_not_dropped() -> None:
    plan = Plan("sqlalchemy")
    held = ScriptedServer(("test", "3"))
    for suite in (SqlalchemySuite(), SqlalchemyDialectSuite()):
        with pytest.raises(RuntimeError, match=r"there are tables in test \(3\): drop these"):
            suite.prepare(held, plan)
    assert not any(sql.startswith("CREATE") for sql in held.asked)
    empty = ScriptedServer()
    SqlalchemySuite().prepare(empty, plan)
    empty.rows = [("test", "1")]  # what our own run has left
    SqlalchemyDialectSuite().prepare(empty, plan)
    ours = ScriptedServer(("test", "1"))
    ours.controllable = True
    SqlalchemySuite().prepare(ours, plan)


def test_an_option_file_has_every_password_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "options.cnf"
    monkeypatch.setattr("tests.conformance.drivers_suite.OPTION_FILE", file)
    server = ScriptedServer()
    server.password = ' a#b"c\\n '
    MysqlclientSuite().prepare(server, Plan("mysqlclient"))
    assert 'password=" a#b\\"c\\\\n "' in file.read_text().splitlines()
    assert _quoted(3306) == '"3306"'
