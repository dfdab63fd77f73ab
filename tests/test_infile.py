"""LOAD DATA LOCAL INFILE: a server gets a file of ours only when we allowed it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT
from scripts.mariadb_server import Server
from tests.fake_server import PASSWORD, Conversation, FakeServer

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]
CANNOT_PREPARE = 1295


def load(connection: forksafe.Connection, path: object, table: str) -> int:
    """Load a file into a table; the number of rows."""
    return connection.cursor().execute(
        f"LOAD DATA LOCAL INFILE %s INTO TABLE {table} FIELDS TERMINATED BY ','", (str(path),)
    )


def count(connection: forksafe.Connection, table: str) -> int:
    cursor = connection.cursor()
    cursor.execute(f"SELECT COUNT(*) FROM {table}")
    ((number,),) = cursor.fetchall()
    return int(number)


@pytest.fixture
def target(table: Table) -> str:
    """A table to load into."""
    return table("id INT, v VARCHAR(100)")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file of three rows."""
    path = tmp_path / "röws.csv"
    path.write_text("1,one\n2,zwölf\n3,🐬\n")
    return path


def test_it_is_refused_by_default_and_the_session_goes_on(
    connect: Connect, target: str, rows: Path
) -> None:
    connection = connect(autocommit=True)
    with pytest.raises(forksafe.OperationalError, match=r"(?i)local.(infile|data)"):
        load(connection, rows, target)
    assert count(connection, target) == 0


@pytest.mark.parametrize(
    "allowed",
    [{"local_infile": True}, {"client_flag": CLIENT.LOCAL_FILES}],
    ids=["by name", "flag"],
)
def test_it_loads_what_was_allowed(
    connect: Connect, target: str, rows: Path, transport: str, allowed: dict[str, int]
) -> None:
    connection = connect(transport, autocommit=True, **allowed)
    assert load(connection, rows, target) == 3
    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM {target}")
    assert cursor.fetchall() == ((1, "one"), (2, "zwölf"), (3, "🐬"))


def test_of_a_directory_only_what_lies_in_it_is_loaded(
    connect: Connect, target: str, tmp_path: Path
) -> None:
    inside, outside = tmp_path / "in", tmp_path / "outside.csv"
    (inside / "deeper").mkdir(parents=True)
    for path in (inside / "a.csv", inside / "deeper" / "b.csv", outside):
        path.write_text("1,one\n")
    (inside / "link.csv").symlink_to(outside)
    (inside / "up").symlink_to(tmp_path)
    (tmp_path / "to-inside.csv").symlink_to(inside / "a.csv")
    (tmp_path / "in-too").mkdir()
    (tmp_path / "in-too" / "c.csv").write_text("1,one\n")
    connection = connect(autocommit=True, local_infile_dir=inside)
    allowed = ("in/a.csv", "in/deeper/b.csv", "in/deeper/../a.csv", "to-inside.csv")
    for name in allowed:
        assert load(connection, tmp_path / name, target) == 1
    elsewhere = ("outside.csv", "in/../outside.csv", "in/link.csv", "in/up/outside.csv")
    for name in (*elsewhere, "in-too/c.csv"):
        with pytest.raises(forksafe.OperationalError, match="which is not below") as caught:
            load(connection, f"{tmp_path}/{name}", target)
        assert caught.value.args[0] == 2068
        assert str(inside) in caught.value.args[1]
    with pytest.raises(forksafe.OperationalError, match="not a regular file"):
        load(connection, inside / "deeper", target)
    with pytest.raises(forksafe.OperationalError, match="cannot read the file .*No such file"):
        load(connection, inside / "not-there.csv", target)
    assert count(connection, target) == len(allowed)


def test_a_directory_limits_whatever_else_is_allowed(
    connect: Connect, server: Server, target: str, rows: Path, tmp_path: Path
) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    for options in (
        {"local_infile": True, "local_infile_dir": str(inside)},
        {"local_infile_dir": str(inside), "local_infile": True},
        {"local_infile_dir": str(inside), "client_flag": CLIENT.LOCAL_FILES},
        {"local_infile_dir": str(inside), "local_infile": False},
    ):
        with pytest.raises(forksafe.OperationalError, match="which is not below"):
            load(connect(**options), rows, target)
    with forksafe.connect(server.url(local_infile_dir=str(tmp_path))) as by_url:
        assert load(by_url, rows, target) == 3


def test_who_forbids_files_by_name_is_not_overruled_by_a_flag(
    connect: Connect, server: Server, target: str, rows: Path
) -> None:
    flag: dict[str, Any] = {"client_flag": CLIENT.LOCAL_FILES}
    for options in ({"local_infile": False} | flag, flag | {"local_infile": False}):
        with pytest.raises(forksafe.OperationalError, match=r"(?i)local.(infile|data)"):
            load(connect(**options), rows, target)
    by_url = forksafe.connect(server.url(local_infile="false"), local_infile=True)
    with by_url:
        assert load(by_url, rows, target) == 3


@pytest.mark.parametrize("allowed", ["local_infile", "local_infile_dir"])
def test_a_pipe_is_not_waited_for(
    connect: Connect, target: str, tmp_path: Path, allowed: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    given = {"local_infile": True, "local_infile_dir": tmp_path}[allowed]
    connection = connect(autocommit=True, **{allowed: given})
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(forksafe.OperationalError, match="not a regular|not below") as caught:
            load(connection, path, target)
        assert caught.value.args[0] == 2068
    assert count(connection, target) == 0


def test_a_relative_directory_is_the_one_of_the_moment_of_connecting(
    connect: Connect, target: str, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    connection = connect(autocommit=True, local_infile_dir=".")
    assert load(connection, rows.name, target) == 3
    monkeypatch.chdir("/")
    assert load(connection, rows, target) == 3
    with pytest.raises(forksafe.OperationalError, match="which is not below"):
        load(connection, "/etc/hosts", target)


def test_each_of_several_statements_has_its_file(
    connect: Connect, target: str, rows: Path, tmp_path: Path
) -> None:
    connection = connect(autocommit=True, local_infile_dir=tmp_path)
    other = tmp_path / "it's \\ other.csv"
    other.write_text("4,four\n")
    into = f"INTO TABLE {target} FIELDS TERMINATED BY ','"
    cursor = connection.cursor()
    sql = f"LOAD DATA LOCAL INFILE %s {into}; DO 1; load /* x */ data local\tinfile %s {into}"
    cursor.execute(sql, (str(rows), str(other)))
    while cursor.nextset():
        pass
    assert count(connection, target) == 4


def test_a_prepared_statement_names_its_file_too(
    connect: Connect, target: str, rows: Path, tmp_path: Path
) -> None:
    connection = connect(autocommit=True, local_infile_dir=tmp_path)
    sql = f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE {target} FIELDS TERMINATED BY ','"
    with connection.cursor(prepared=True) as cursor:
        try:
            assert [cursor.execute(sql) for _ in range(2)] == [3, 3]
        except forksafe.Error as refusal:
            if refusal.args[0] != CANNOT_PREPARE:
                raise
            pytest.skip(f"the server does not prepare it: {refusal.args[1]}")
    assert count(connection, target) == 6


def test_an_empty_file_and_a_large_one_are_loaded_whole(
    connect: Connect, target: str, tmp_path: Path
) -> None:
    connection, path = connect(autocommit=True, local_infile=True), tmp_path / "f"
    path.write_text("")
    assert load(connection, path, target) == 0
    path.write_text("".join(f"{number},{'x' * 90}\n" for number in range(50_000)))
    assert load(connection, path, target) == 50_000
    assert count(connection, target) == 50_000


@pytest.mark.parametrize("missing", ["nothing-here", "."])
def test_a_file_that_cannot_be_read_is_named_and_the_session_goes_on(
    connect: Connect, target: str, tmp_path: Path, missing: str
) -> None:
    connection = connect(autocommit=True, local_infile=True)
    path = tmp_path / missing
    with pytest.raises(forksafe.OperationalError, match="cannot read the file") as caught:
        load(connection, path, target)
    assert caught.value.args[0] == 2068
    assert str(path) in caught.value.args[1]
    assert count(connection, target) == 0


def test_an_error_of_the_server_while_loading_is_raised(
    connect: Connect, target: str, rows: Path
) -> None:
    connection = connect(autocommit=True, local_infile=True)
    with pytest.raises(forksafe.ProgrammingError) as caught:
        load(connection, rows, "nowhere")
    assert caught.value.args[0] == 1146
    assert count(connection, target) == 0


@pytest.mark.parametrize(
    ("allowed", "statement", "why"),
    [
        ({}, f"LOAD DATA LOCAL INFILE '{__file__}' INTO TABLE t", "local_infile=True"),
        ({"local_infile": True}, "SELECT 1", "which the statement does not name"),
        ({"local_infile_dir": "/"}, "SELECT 1", "which the statement does not name"),
        (
            {"local_infile": True},
            f"SELECT 'LOAD DATA LOCAL INFILE', '{__file__}'",
            "which the statement does not name",
        ),
        (
            {"local_infile": True},
            f"LOAD DATA LOCAL INFILE '{__file__}.csv' INTO TABLE t",
            "which the statement does not name",
        ),
    ],
)
def test_a_server_that_asks_unbidden_gets_nothing(
    allowed: dict[str, Any], statement: str, why: str
) -> None:
    """Any statement can be answered so by a malicious server: it asks for the file it wants."""
    with FakeServer(cached=True, infile=__file__) as fake:
        options = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
        with forksafe.connect(**options, **allowed) as connection:
            with pytest.raises(forksafe.OperationalError, match=why) as caught:
                connection.cursor().execute(statement)
            assert caught.value.args[0] == 2068
            assert __file__ in caught.value.args[1]
            assert fake.heard[-1] == b"", "the answer that there is no file"
            connection.ping()


class Insistent(Conversation):
    """Asks for another file when it has been refused one."""

    def _hear(self) -> bytes:
        heard = super()._hear()
        if self.fake.statements:  # past the log-in
            self._send(b"\xfb/etc/hosts")
        return heard


def test_a_server_that_asks_for_a_second_file_ends_the_session() -> None:
    with FakeServer(cached=True, infile=__file__, speaks=Insistent) as fake:
        options = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
        with forksafe.connect(**options) as connection:
            with pytest.raises(forksafe.OperationalError, match="a second file") as caught:
                connection.cursor().execute("SELECT 1")
            assert caught.value.args[0] == 2013
