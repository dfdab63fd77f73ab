"""How PyMySQL's own tests are had, laid out and run: see `python -m tests.conformance`."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.mariadb_server import Server
from scripts.servers import NotToBeHadError
from tests.conformance import __main__ as program
from tests.conformance import pymysql_suite, sources
from tests.conformance.pymysql_suite import DATABASES, PymysqlSuite
from tests.conformance.sources import DebianSource
from tests.conformance.suite import INSIDE, THEIRS, Plan

ITS_SOURCE = DebianSource("trixie", "python-pymysql")

IN_ITS_PLACE = """
import forksafe_as_mysqldb, mysqldb_as_pymysql, forksafe
import pymysql.converters, pymysql.cursors
from pymysql import err
from pymysql.constants import CLIENT, ER
from pymysql.tests import base
assert pymysql.connect is __import__("MySQLdb").connect
assert issubclass(pymysql.connections.Connection, forksafe.Connection)
assert err.OperationalError is pymysql.OperationalError is forksafe.OperationalError
assert pymysql.converters.convert_time("23:06:20").hour == 23
try:
    import pymysql.charset
except ModuleNotFoundError:
    print("well")
"""


@pytest.fixture
def laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Plan], Path]:
    """`laid_out(plan)`: where the tests of a source lie that has two modules."""
    package = tmp_path / "source" / "pymysql"
    (package / "tests").mkdir(parents=True)
    for name in ("__init__.py", "charset.py", "tests/__init__.py", "tests/base.py"):
        (package / name).touch()
    monkeypatch.setattr(pymysql_suite, "HOME", tmp_path / "home")

    def lay_out(plan: Plan) -> Path:
        command = PymysqlSuite().command(plan, Server(), package.parent, tmp_path / "outcomes")
        assert command.variables["HOME"] == str(tmp_path / "home")
        return command.directory

    return lay_out


def test_the_tests_find_beside_them_where_the_server_is(laid_out: Callable[[Plan], Path]) -> None:
    for plan in (Plan("pymysql"), Plan("pymysql", driver=THEIRS)):
        tests = laid_out(plan)
        file = tests / "databases.json"
        assert file.stat().st_mode & 0o777 == 0o600
        first, second = json.loads(file.read_text())
        assert (first["database"], second["database"]) == DATABASES
        assert first["local_infile"] is True
        assert ("ssl_mode" in first) is (plan.driver != THEIRS)
        assert (tests.parent.parent / ".my.cnf").read_text() == ""


def test_the_tests_find_forksafe_and_nothing_of_pymysql(laid_out: Callable[[Plan], Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_ITS_PLACE],
        cwd=laid_out(Plan("pymysql")),
        env={"PYTHONPATH": ":".join([str(INSIDE), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("well\n", "")


def test_a_source_of_debian_is_unpacked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def download(_: DebianSource, version: str, into: Path) -> Path:
        asked.append(version)
        into.mkdir()
        with zipfile.ZipFile(into / "archive.zip", "w") as archive:
            archive.writestr("python-pymysql-1.1.1/README", "")
        return into / "archive.zip"

    monkeypatch.setattr(DebianSource, "download", download)
    monkeypatch.setattr(sources, "KEPT", tmp_path)
    for _ in range(2):
        home = sources.fetch("PyMySQL==1.1.1", debian=ITS_SOURCE)
        assert (home / "README").exists()
    assert asked == ["1.1.1"]


def test_another_version_in_debian_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python-pymysql_1.1.10.orig.tar.xz").touch()
    well = subprocess.CompletedProcess([], 0, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: well)
    with pytest.raises(NotToBeHadError, match=r"Debian trixie has python-pymysql_1\.1\.10\.orig"):
        ITS_SOURCE.download("1.1.1", tmp_path)


def test_a_source_of_debian_that_cannot_be_had_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dirname").symlink_to(shutil.which("dirname") or "")
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(NotToBeHadError, match=r"no source of python-pymysql here: .*no apt-get"):
        ITS_SOURCE.download("1.1.1", tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_a_suite_that_cannot_be_had_is_left_out_and_the_reason_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> None:
        raise NotToBeHadError("no source of it here: no mirror")

    monkeypatch.setattr(program, "run", run)
    monkeypatch.setattr(program, "_server", lambda _: contextlib.nullcontext(Server()))
    assert program.main(["--suite", "pymysql"]) == 0
    said = capsys.readouterr().out
    for driver in ("mysqlclient", "forksafe"):
        assert f"pymysql.whole.{driver}.nopool.tcp." in said
    assert said.count("not run: no source of it here: no mirror") == 2
