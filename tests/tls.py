"""A server whose certificates we have, and what a session on it is encrypted with.

A test module that wants its fixture says `secure = tls.secure`.
"""

from __future__ import annotations

from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway


@pytest.fixture
def secure(server: Server) -> Throwaway:
    """The server, when it is one whose certificates we have."""
    if not isinstance(server, Throwaway) or server.certificates is None:
        pytest.skip("needs the certificates of a server of its own: unset FORKSAFE_TEST_DSN")
    return server


def cipher(connection: forksafe.Connection) -> str:
    """What the server says that the session is encrypted with; "" in clear."""
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    ((_, name),) = cursor.fetchall()
    return str(name)


def tls_of(secure: Throwaway, **options: Any) -> dict[str, Any]:
    """Options of a connection by TCP, with those of TLS alone that are given."""
    return secure.connect_kwargs(ssl_mode=None) | options


def with_foreign_ca(secure: Throwaway, asked: dict[str, Any]) -> dict[str, Any]:
    """Options in which "foreign" is an authority that did not sign the certificate."""
    assert secure.certificates
    foreign = secure.certificates.foreign_ca
    if asked.get("ssl") == {"ca": "foreign"}:
        return {"ssl": {"ca": foreign}}
    return asked | {"ssl_ca": foreign} if "ssl_ca" in asked else asked
