"""What an option file permits and does not order, and what is no option file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.certificates import make_certificates
from scripts.mariadb_server import Server
from tests.fake_server import PASSWORD, FakeServer

CLEAR = "mysql_clear_password"


@pytest.fixture
def permit(tmp_path: Path) -> Path:
    """An option file that permits to send the password itself."""
    file = tmp_path / "my.cnf"
    file.write_text("[client]\nenable-cleartext-plugin\n")
    return file


def log_in(fake: FakeServer, **options: Any) -> None:
    """Log in to a fake server."""
    options = {"host": "127.0.0.1", "user": "app", "password": PASSWORD, **options}
    if "unix_socket" not in options:
        options["port"] = fake.port
    forksafe.connect(**options).close()


def test_a_file_that_permits_clear_text_leaves_other_accounts_as_they_are(
    server: Server, permit: Path
) -> None:
    with forksafe.connect(read_default_file=permit, **server.connect_kwargs()) as connection:
        connection.ping()
    with FakeServer(cached=True) as fake:
        log_in(fake, read_default_file=permit)
    assert all(PASSWORD.encode() not in packet for packet in fake.heard)


def test_a_password_goes_out_in_clear_text_where_a_file_permits_it_and_the_server_asks(
    permit: Path, tmp_path: Path
) -> None:
    path = str(tmp_path / "socket")
    with FakeServer(switch=(CLEAR.encode(), b""), unix_socket=path) as fake:
        log_in(fake, unix_socket=path, read_default_file=permit)
    assert len(fake.heard) == 2, "the server's own plugin came first"
    assert fake.heard[-1] == PASSWORD.encode() + b"\0"
    certificates = make_certificates(tmp_path)
    with FakeServer(certificates=certificates, switch=(CLEAR.encode(), b"")) as fake:
        log_in(fake, ssl_ca=tmp_path / "ca.pem", read_default_file=permit)
    assert fake.heard[-1] == PASSWORD.encode() + b"\0"


def test_where_somebody_may_listen_no_file_permits_clear_text(permit: Path) -> None:
    with FakeServer(switch=(CLEAR.encode(), b"")) as fake:
        with pytest.raises(forksafe.OperationalError, match="is not private: use TLS"):
            log_in(fake, read_default_file=permit)
        assert all(PASSWORD.encode() not in packet for packet in fake.heard)


def test_a_later_line_takes_the_permission_back(permit: Path, tmp_path: Path) -> None:
    permit.write_text(permit.read_text() + "[client-mariadb]\nskip-enable-cleartext-plugin\n")
    path = str(tmp_path / "socket")
    with FakeServer(switch=(CLEAR.encode(), b""), unix_socket=path) as fake:
        with pytest.raises(forksafe.OperationalError, match="nobody allowed it"):
            log_in(fake, unix_socket=path, read_default_file=permit)
        assert len(fake.heard) == 1


@pytest.mark.parametrize("opener", [forksafe.connect, forksafe.Pool])
def test_a_pipe_is_no_option_file_and_not_waited_for(
    tmp_path: Path, opener: Callable[..., Any]
) -> None:
    pipe = tmp_path / "pipe.cnf"
    os.mkfifo(pipe)
    including = tmp_path / "my.cnf"
    including.write_text(f"!include {pipe}\n")
    all_of_them = tmp_path / "all.cnf.d"
    all_of_them.write_text(f"!includedir {tmp_path}\n")
    for file in (pipe, including, all_of_them):
        with pytest.raises(forksafe.ProgrammingError, match="is not a regular file") as caught:
            opener(read_default_file=file)
        assert f"'{pipe}'" in caught.value.args[1]


def test_dev_null_is_an_option_file_that_says_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".my.cnf").symlink_to("/dev/null")
    monkeypatch.setenv("HOME", str(tmp_path))
    given: list[dict[str, Any]] = [
        {"read_default_file": "/dev/null"},
        {"read_default_group": "mine"},
    ]
    for options in given:
        with forksafe.connect(**options, **server.connect_kwargs()) as connection:
            connection.ping()
