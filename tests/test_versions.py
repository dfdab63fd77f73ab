"""What `make servers` and `make pythons` stand on: what is core, what is had, what is counted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import servers
from tests.core import NOT_CORE, is_core
from tests.versions import pythons, run

HERE = Path(__file__).parent
FOUR_ENDS = """
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_skips(): pytest.skip("for a reason")
@pytest.fixture
def broken(): raise ValueError
def test_cannot_begin(broken): pass
"""


def test_what_is_left_out_of_the_core_is_there() -> None:
    assert {name for name in NOT_CORE if not (HERE / name).is_file()} == set()
    assert is_core(Path(__file__))


@pytest.mark.parametrize("name", list(servers.OTHERS))
def test_a_server_that_cannot_be_had_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname") or "")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(servers, "UNPACKED", tmp_path)
    with pytest.raises(servers.NotToBeHadError, match=f"no {name} here: .*no apt-get here"):
        servers.throwaway(name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("said", "reason"),
    [("a\nno network\n", "no network"), ("", "python-fetch.sh ended with code 3 and said nothing")],
)
def test_an_interpreter_that_cannot_be_had_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    failed = subprocess.CompletedProcess([], 3, stdout="", stderr=said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(pythons.NotToBeHadError, match=f"no Python 3.10 here: {reason}"):
        pythons._interpreter("3.10")


def test_every_test_of_a_run_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "test_ends.py").write_text(FOUR_ENDS)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "test_ends.py"]
    subprocess.run(command, cwd=tmp_path, capture_output=True)
    count = run._count(report, 1.0)
    assert (count.passed, count.failed, count.skipped) == (1, 2, 1)
    assert count.cells()[:-1] == ("4", "1", "2", "1", "1")
    assert not count.well


def test_a_run_that_made_no_report_has_failed(tmp_path: Path) -> None:
    assert not run._count(tmp_path / "none.xml", 1.0).well


def test_a_row_takes_the_place_of_the_last_one_of_its_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "RESULTS.md"
    page.write_text("before\n<!-- servers -->\n<!-- end of servers -->\nafter\n")
    monkeypatch.setattr(run, "RESULTS", page)
    for version, passed in (("9.6.1", 7), ("9.7.4", 1200)):
        rows = [("mysql-9", version, *run.Count(passed, 0, 3, 99.6).cells())]
        run.publish("servers", ("server", "version"), rows, record=True)
    other = [("mariadb-11.8", "11.8.6", *run.Count(5, 0, 0, 1.0).cells())]
    run.publish("servers", ("server", "version"), other, record=True)
    text = page.read_text()
    assert "| mysql-9 | 9.7.4 | 1,203 | 1,200 | 0 | 3 | 100 |" in text
    assert "| mariadb-11.8 | 11.8.6 | 5 |" in text
    assert (text.count("| server |"), text.count("| mysql-9 |")) == (1, 1)
    assert text.startswith("before\n<!-- servers -->\n")
    assert text.endswith("\n<!-- end of servers -->\nafter\n")
    with pytest.raises(ValueError, match="no place for the table of pythons"):
        run.publish("pythons", ("Python", "wheel"), rows, record=True)
