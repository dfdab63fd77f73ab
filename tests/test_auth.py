"""An account logs in by whichever plugin it has, with whatever password."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from scripts.throwaway_mysql import ThrowawayMySQL

Connect = Callable[..., forksafe.Connection]


@pytest.fixture
def account(server: Server) -> Iterator[Callable[[str], str]]:
    """`account("IDENTIFIED …")`: the name of a new account, dropped after the test."""
    made: list[str] = []

    def make(identified: str) -> str:
        name = f"u{os.getpid()}_{len(made)}"
        server.execute_as_root(f"CREATE USER {name}@'%' {identified}")
        made.append(name)
        return name

    yield make
    for name in made:
        server.execute_as_root(f"DROP USER {name}@'%'")


@pytest.fixture
def mysql(server: Server) -> ThrowawayMySQL:
    """A real MySQL, whose users log in by caching_sha2_password."""
    if not isinstance(server, ThrowawayMySQL):
        pytest.skip("needs MySQL: make servers, or pytest --server=mysql-9")
    return server


def who_am_i(connection: forksafe.Connection) -> str:
    cursor = connection.cursor()
    cursor.execute("SELECT CURRENT_USER()")
    name: str = cursor.fetchone()[0]  # type: ignore[index]
    return name


@pytest.mark.usefixtures("mariadb")
def test_mysql_native_password_logs_in(connect: Connect, account: Any, transport: str) -> None:
    user = account("IDENTIFIED VIA mysql_native_password USING PASSWORD('one')")
    assert who_am_i(connect(transport, user=user, database=None, password="one")) == f"{user}@%"


@pytest.mark.usefixtures("ed25519")
def test_client_ed25519_logs_in(connect: Connect, transport: str) -> None:
    assert who_am_i(connect(transport, user="ed", password="ed-secret")) == "ed@%"


def test_client_ed25519_signs_an_empty_password_too(
    connect: Connect, account: Any, ed25519: Server
) -> None:
    make = "CREATE OR REPLACE FUNCTION ed25519_password RETURNS STRING SONAME 'auth_ed25519.so'"
    ed25519.execute_as_root(make)
    ((key,),) = ed25519.execute_as_root("SELECT ed25519_password('')")
    user = account(f"IDENTIFIED VIA ed25519 USING '{key}'")
    assert who_am_i(connect(user=user, database=None, password="")) == f"{user}@%"
    with pytest.raises(forksafe.OperationalError, match="1045"):
        connect(user=user, database=None, password="x")


@pytest.mark.parametrize("password", ["pässwörd€", "p" * 200, "'; -- \\\" %s", " "])
def test_any_text_can_be_a_password(connect: Connect, account: Any, password: str) -> None:
    literal = password.replace("\\", "\\\\").replace("'", "''")
    user = account(f"IDENTIFIED BY '{literal}'")
    assert who_am_i(connect(user=user, database=None, password=password)) == f"{user}@%"


@pytest.mark.parametrize("password", ["", None])
def test_an_account_without_a_password_logs_in(
    connect: Connect, account: Any, password: str | None
) -> None:
    user = account("")
    assert who_am_i(connect(user=user, database=None, password=password)) == f"{user}@%"


@pytest.mark.usefixtures("ed25519")
def test_an_account_with_two_plugins_takes_the_password_of_either(
    connect: Connect, account: Any
) -> None:
    one = "ed25519 USING PASSWORD('one')"
    user = account(f"IDENTIFIED VIA {one} OR mysql_native_password USING PASSWORD('two')")
    for password in ("one", "two"):
        assert who_am_i(connect(user=user, database=None, password=password)) == f"{user}@%"
    with pytest.raises(forksafe.OperationalError) as caught:
        connect(user=user, database=None, password="three")
    assert caught.value.args[0] == 1045


@pytest.mark.parametrize(
    "plugin", ["mysql_native_password", "caching_sha2_password", "client_ed25519"]
)
def test_whichever_plugin_a_log_in_begins_with_the_account_decides(
    connect: Connect, server: Server, plugin: str
) -> None:
    connect(auth_plugin=plugin).ping()
    if getattr(server, "has_ed25519", False):
        connect(user="ed", password="ed-secret", auth_plugin=plugin).ping()


@pytest.mark.parametrize(
    "options", [{"ssl_mode": "REQUIRED"}, {"get_server_public_key": True}], ids=["tls", "rsa"]
)
def test_a_real_mysql_logs_in_in_full_and_then_quickly(
    mysql: ThrowawayMySQL, options: dict[str, Any]
) -> None:
    def log_in(**more: Any) -> None:
        forksafe.connect(**mysql.connect_kwargs(**{"get_server_public_key": None, **more})).close()

    mysql.execute_as_root("FLUSH PRIVILEGES")  # the server forgets what it knew
    with pytest.raises(forksafe.OperationalError) as caught:
        log_in()
    assert caught.value.args[0] == 2059
    log_in(**options)
    log_in()
