"""LOAD DATA LOCAL INFILE: a server gets a file of ours only when we allowed it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import forksafe
from forksafe.constants import CLIENT
from tests.fake_server import PASSWORD, Conversation, FakeServer

Connect = Callable[..., forksafe.Connection]
Table = Callable[[str], str]


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


def test_a_server_that_asks_unbidden_gets_nothing() -> None:
    """Any statement can be answered so by a malicious server: it asks for the file it wants."""
    with FakeServer(cached=True, infile=__file__) as fake:
        options = {"host": "127.0.0.1", "port": fake.port, "user": "app", "password": PASSWORD}
        with forksafe.connect(**options) as connection:
            with pytest.raises(forksafe.OperationalError, match="local_infile=True") as caught:
                connection.cursor().execute("SELECT 1")
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
