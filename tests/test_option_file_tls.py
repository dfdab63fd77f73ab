"""TLS that is asked for by keyword or URL is had in full, whatever an option file says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from forksafe.constants import CLIENT
from scripts.throwaway import Throwaway
from tests import tls
from tests.tls import with_foreign_ca

Connect = Callable[..., forksafe.Connection]
secure = tls.secure


@pytest.fixture
def connect_by_file(secure: Throwaway, tmp_path: Path) -> Connect:
    """`connect_by_file(lines, **options)`: by TCP, with an option file of these lines."""

    def make(lines: str, **options: Any) -> forksafe.Connection:
        file = tmp_path / "my.cnf"
        file.write_text(f"[client]\n{lines}\n")
        file.chmod(0o600)
        account = secure.connect_kwargs(ssl_mode=None)
        return forksafe.connect(read_default_file=file, **account | options)

    return make


def is_encrypted(connection: forksafe.Connection) -> bool:
    """Whether it is, once and for all."""
    with connection:
        return bool(connection.client_flag & CLIENT.SSL)


@pytest.mark.parametrize(
    ("file", "asked"),
    [
        ("skip-ssl", {"ssl": True}),
        ("skip-ssl", {"ssl": {"ca": "foreign"}}),
        ("skip-ssl", {"tls_version": "TLSv1.2,TLSv1.3"}),
        ("skip-ssl", {"ssl_verify_mode": "required"}),
        ("skip-ssl", {"ssl_check_hostname": True}),
        ("ssl=0", {"ssl_ca": "foreign"}),
        ("ssl-mode=DISABLED", {"ssl": {"ca": "foreign"}}),
        ("ssl-mode=DISABLED", {"ssl_cipher": "TLS_AES_256_GCM_SHA384"}),
        ("ssl-mode=PREFERRED", {"ssl": True}),
        ("ssl-mode=REQUIRED", {"ssl": True, "ssl_check_hostname": True}),
        ("ssl-mode=REQUIRED", {"ssl_check_hostname": True}),
        ("skip-ssl-verify-server-cert", {"ssl": {"ca": "foreign"}}),
        ("skip-ssl-verify-server-cert", {"ssl_mode": "VERIFY_IDENTITY"}),
        ("skip-ssl\nskip-ssl-verify-server-cert", {"ssl": True}),
    ],
)
def test_a_file_takes_nothing_from_the_tls_that_a_keyword_asks_for(
    connect_by_file: Connect, secure: Throwaway, file: str, asked: dict[str, Any]
) -> None:
    asked = with_foreign_ca(secure, asked)
    with pytest.raises(forksafe.OperationalError, match="not trusted") as caught:
        connect_by_file(file, **asked)
    assert caught.value.args[0] == 2026


def test_a_file_takes_nothing_from_the_tls_that_a_url_asks_for(
    secure: Throwaway, tmp_path: Path
) -> None:
    file = tmp_path / "my.cnf"
    file.write_text("[client]\nskip-ssl\n")
    options: dict[str, Any] = {"ssl": "true", "ssl_mode": None, "read_default_file": str(file)}
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        forksafe.connect(secure.url(**options))


@pytest.mark.parametrize("asked", [{}, {"ssl_mode": "VERIFY_IDENTITY"}, {"ssl": True}])
def test_tls_that_a_keyword_asks_for_is_had(
    connect_by_file: Connect, secure: Throwaway, asked: dict[str, Any]
) -> None:
    for file in ("skip-ssl", "ssl-mode=REQUIRED", "skip-ssl-verify-server-cert"):
        assert is_encrypted(connect_by_file(file, ssl_ca=secure.ca_file, **asked))


def test_less_than_in_full_is_asked_for_by_keyword_in_any_order(connect_by_file: Connect) -> None:
    for less in ({"ssl_mode": "REQUIRED"}, {"ssl_verify_mode": "none"}):
        for asked in (less | {"ssl": True}, {"ssl": True} | less):
            assert is_encrypted(connect_by_file("skip-ssl", **asked))


def test_what_asks_for_no_tls_leaves_what_a_file_says(connect_by_file: Connect) -> None:
    nothing: list[dict[str, Any]] = [
        {},
        {"ssl": None, "ssl_ca": "", "ssl_mode": None},
        {"ssl": False},
        {"ssl_check_hostname": False},
    ]
    for given in nothing:
        assert is_encrypted(connect_by_file("ssl-mode=REQUIRED", **given))
        assert not is_encrypted(connect_by_file("skip-ssl", **given))
    assert not is_encrypted(connect_by_file("ssl-mode=REQUIRED", ssl_mode="DISABLED"))


def test_of_the_switches_of_a_file_the_last_counts(connect_by_file: Connect) -> None:
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        connect_by_file("skip-ssl\n[client-mariadb]\nssl")
    assert not is_encrypted(connect_by_file("ssl\n[client-mariadb]\nskip-ssl"))


def test_a_loose_setting_counts_where_it_is_known(connect_by_file: Connect) -> None:
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        connect_by_file("loose-ssl-mode=VERIFY_IDENTITY")
    with pytest.raises(forksafe.OperationalError, match="not trusted"):
        connect_by_file("loose_tls_verify_peer\nloose-frobnicate=1")
