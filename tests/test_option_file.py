"""Option files: MySQL's own, read as its own programs read them; what is given besides wins."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT
from scripts.mariadb_server import Server

Write = Callable[..., str]

# Each form that a line can have, as a user may have written it.
ODD = r"""
# a comment
; another
[client]
user = ann # trailing
password='a#b' # c
host="h"x
socket = "a b"
database = a\sb\t\\\q\"
  port=1
max_allowed-packet = 16M
compress
init-command='it\'s'
timeout=
[mysqld]
user=mysql
[other]
ssl-mode = required
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(text, name="my.cnf")`: the path of an option file with this text."""

    def make(text: str, name: str = "my.cnf") -> str:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    return make


def account(server: Server, **more: Any) -> str:
    """A group [client] with all that a connection to the server needs."""
    options = server.connect_kwargs(**more)
    return "[client]\n" + "".join(f"{name} = '{value}'\n" for name, value in options.items())


def one(connection: forksafe.Connection, sql: str) -> Any:
    """The first value that a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql)
    row = cursor.fetchone()
    assert row is not None
    return row[0]


def where(**options: Any) -> str:
    """What a connection is told that finds no server there."""
    with pytest.raises(forksafe.OperationalError) as caught:
        forksafe.connect(**{"connect_timeout": 5, **options})
    return str(caught.value.args[1])


def refusal(**options: Any) -> str:
    """Why options are no use."""
    with pytest.raises(forksafe.ProgrammingError) as caught:
        forksafe.connect(**options)
    assert caught.value.args[0] == 2000
    return str(caught.value.args[1])


@pytest.mark.parametrize("opener", [forksafe.connect, forksafe.Pool])
def test_a_file_says_all_that_a_connection_needs(
    server: Server, write: Write, opener: Callable[..., Any]
) -> None:
    file = write(account(server))
    for arguments, keywords in (
        ((), {"read_default_file": file}),
        ((), {"read_default_file": Path(file)}),
        ((f"mysql:///?read_default_file={file}",), {}),
    ):
        with opener(*arguments, **keywords) as opened:
            connection = opened if isinstance(opened, forksafe.Connection) else opened.connect()
            assert one(connection, "SELECT DATABASE()") == server.database
            connection.close()


def test_what_is_given_besides_wins_and_nothing_is_not_given(server: Server, write: Write) -> None:
    file = write(account(server, user="nobody-there", database="nowhere"))
    given = {"user": server.user, "db": server.database}
    with forksafe.connect(read_default_file=file, **given) as connection:
        assert one(connection, "SELECT DATABASE()") == server.database
    nothing: dict[str, Any] = {"host": None, "port": 0, "passwd": None, "charset": ""}
    file = write(account(server))
    with forksafe.connect(read_default_file=file, **nothing) as connection:
        assert one(connection, "SELECT DATABASE()") == server.database
    with forksafe.connect(f"mysql:///mysql?read_default_file={file}") as connection:
        assert one(connection, "SELECT DATABASE()") == "mysql"


def test_the_groups_of_clients_are_read_and_the_one_that_is_named(
    server: Server, write: Write
) -> None:
    file = write(
        account(server, user=None, password=None, database=None)
        + f"[client-server]\nuser={server.user}\n[client-mariadb]\npassword={server.password}\n"
        + f"[mysqld]\nuser=mysql\ndatabase=nowhere\n[mine]\ndatabase={server.database}\n"
    )
    with forksafe.connect(read_default_file=file) as connection:
        assert one(connection, "SELECT DATABASE()") is None
    with forksafe.connect(read_default_file=file, read_default_group="mine") as connection:
        assert one(connection, "SELECT DATABASE()") == server.database


def test_a_group_alone_is_looked_for_in_the_usual_files(
    server: Server, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = account(server).replace("[client]", "[only-here]")
    for variable, name in (("HOME", ".my.cnf"), ("MYSQL_HOME", "my.cnf")):
        file = write(text, name)
        with monkeypatch.context() as patch:
            patch.setenv(variable, os.path.dirname(file))
            with forksafe.connect(read_default_group="only-here") as connection:
                assert one(connection, "SELECT DATABASE()") == server.database


def test_a_tilde_is_the_home_directory(
    server: Server, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(account(server))
    monkeypatch.setenv("HOME", os.path.dirname(file))
    with forksafe.connect(read_default_file="~/my.cnf") as connection:
        connection.ping()


def test_a_line_is_read_as_mysqls_own_programs_read_it(write: Write) -> None:
    program = shutil.which("my_print_defaults")
    if not program:
        pytest.skip("the program my_print_defaults is not installed")
    command = [program, f"--defaults-file={write(ODD)}", "client"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = dict(line.removeprefix("--").partition("=")[::2] for line in printed.splitlines())
    assert theirs["password"] == "a#b"
    # Ours, as the errors tell them.
    ours = forksafe.Pool(read_default_file=write(ODD), name="odd", unix_socket="/nowhere")
    ours.close()
    socket = write(f"[client]\nsocket = '/nowhere/{theirs['socket']}' # c\n")
    assert "'/nowhere/a b' (" in where(read_default_file=socket)
    for name, value in (("host", "'a\\sb\\t\\\\\\q\\\"'"), ("host", "a'b#c"), ("host", '"h"x')):
        file = write(f"[client]\nport=1\n{name} = {value}\n")
        command[1] = f"--defaults-file={file}"
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert printed.removeprefix("--port=1\n--host=").removesuffix("\n") in where(
            read_default_file=file
        )


def test_included_files_are_read_in_their_place(
    server: Server, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    for name, database in (("b.cnf", server.database), ("a.cnf", "nowhere"), ("c.txt", "no")):
        write(f"[client]\ndatabase={database}\n", f"more/{name}")
    included = write(account(server), "account.cnf")
    file = write(
        f"!include {included}\n!include {tmp_path}/not-there\n!includedir {tmp_path}/more\n"
    )
    with forksafe.connect(read_default_file=file) as connection:
        assert one(connection, "SELECT DATABASE()") == server.database
    endless = write(f"[client]\n!include {tmp_path}/my.cnf\n")
    assert "included by too many" in refusal(read_default_file=endless)


def test_switches_and_flags_of_a_file_are_taken(server: Server, write: Write) -> None:
    file = write(
        account(server)
        + "return_found_rows\ncompress\nloose-frobnicate=1\nprompt=x\n"
        + "init-command=SET @a = 1;\ninit_command='SET @b = 2'\ndefault-character-set=latin1\n"
    )
    with forksafe.connect(read_default_file=file) as connection:
        assert connection.client_flag & CLIENT.FOUND_ROWS
        assert connection.client_flag & CLIENT.COMPRESS
        assert one(connection, "SELECT @a + @b") == 3
        assert connection.character_set_name() == "latin1"
    given = {"compress": False, "charset": "utf8mb4", "init_command": "SET @a = 5"}
    with forksafe.connect(read_default_file=file, **given) as connection:
        assert not connection.client_flag & CLIENT.COMPRESS
        assert one(connection, "SELECT COALESCE(@b, @a) + 0") == 5
        assert connection.character_set_name() == "utf8mb4"


def test_tls_of_a_file_is_verified(server: Server, write: Write) -> None:
    if "tls" not in server.transports:
        pytest.skip("the server offers no TLS")
    plain = account(server, ssl_mode=None)
    for more in (f"ssl_ca={server.ca_file}\n", f"tls-ca={server.ca_file}\nssl-mode=verify_ca\n"):
        with forksafe.connect(read_default_file=write(plain + more)) as connection:
            assert one(connection, "SHOW STATUS LIKE 'Ssl_version'") == "Ssl_version"
            assert connection.client_flag & CLIENT.SSL
    trusting = write(plain + "ssl\n")
    assert "not trusted" in where(read_default_file=trusting)
    with forksafe.connect(read_default_file=write(plain + "ssl=0\n")) as connection:
        assert not connection.client_flag & CLIENT.SSL


def test_the_socket_of_a_file_is_that_of_localhost_alone(write: Write) -> None:
    file = write("[client]\nsocket=/nowhere/of-file\n")
    assert "/nowhere/of-file" in where(read_default_file=file)
    assert "/nowhere/of-file" in where(read_default_file=file, host="localhost")
    assert "127.0.0.1" in where(read_default_file=file, host="127.0.0.1", port=1)
    assert "/nowhere/mine" in where(
        read_default_file=file, unix_socket="/nowhere/mine", host="127.0.0.1"
    )
    tcp = write("[client]\nsocket=/nowhere/of-file\nprotocol=tcp\nport=1\n")
    assert "localhost:1" in where(read_default_file=tcp)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("user=x\n", r"my.cnf', line 1: it stands in no group"),
        ("\n[client\nuser=x\n", r"my.cnf', line 2: a group looks like \[client\]"),
        ("[client]\nport=http\n", r'port must be .* not "http" \(.*my.cnf\', line 2\)'),
        ("[client]\npassword=a\\0\nuser=\udcff\n", r"my.cnf', line 3 is not UTF-8"),
        ("[client]\nssl-crl=x.pem\n", "line 2 asks for ssl-crl, which cannot be done here"),
        ("[client]\nprotocol=pipe\n", "protocol in .* line 2 is not tcp or socket"),
        ("[client]\ndefault-character-set=gbk\n", 'charset "gbk" .* line 2'),
        ("!includedir /nowhere/at-all\n", "cannot read '/nowhere/at-all'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(
    tmp_path: Path, text: str, wanted: str
) -> None:
    import re

    file = tmp_path / "my.cnf"
    file.write_bytes(text.encode(errors="surrogateescape"))
    said = refusal(read_default_file=file)
    assert re.search(wanted, said), said
    assert "read_default_file" in said or "line" in said


def test_a_password_of_a_file_is_not_repeated(write: Write) -> None:
    file = write("[client]\npassword='hu\\0sh'\nport=http\n")
    assert "hu" not in refusal(read_default_file=file).replace("my.cnf", "")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for file in (tmp_path / "not-there", tmp_path):
        said = refusal(read_default_file=file)
        assert f"read_default_file '{file}' cannot be used: cannot read" in said
        with pytest.raises(forksafe.ProgrammingError, match="cannot be used"):
            forksafe.Pool(read_default_file=file)


def test_a_file_that_everybody_may_write_to_is_ignored_and_said(
    server: Server, write: Write, tmp_path: Path
) -> None:
    open_to_all = write("[client]\nuser=mallory\nhost=192.0.2.1\n", "open.cnf")
    os.chmod(open_to_all, 0o666)
    good = write(account(server) + f"!include {open_to_all}\n")
    with pytest.warns(RuntimeWarning, match=f"'{open_to_all}' is ignored: everybody may write"):
        connection = forksafe.connect(read_default_file=good)
    with connection:
        assert one(connection, "SELECT USER()").startswith(f"{server.user}@")


def test_an_option_file_allows_local_files_and_a_program_may_forbid_them(
    server: Server, write: Write, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("1\n2\n")
    load = f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE t"
    file = write(account(server) + f"load-data-local-dir={tmp_path}\n")
    for given, loads in (({}, True), ({"local_infile": False}, False)):
        with forksafe.connect(read_default_file=file, **given) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE t (id INT)")
            if loads:
                assert cursor.execute(load) == 2
            else:
                with pytest.raises(forksafe.OperationalError, match=r"(?i)local.(infile|data)"):
                    cursor.execute(load)
