"""A server that somebody else runs, named by FORKSAFE_TEST_DSN."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from scripts.mariadb_server import Server


class GivenServer(Server):
    """Its user needs the rights the tests use: CREATE, PROCESS, SUPER (or their like).

    `unix_socket=` and `ssl_ca=` in the URL offer the transports "socket" and "tls"; other options
    go along with every connection.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("mysql", "mariadb") or not parts.hostname:
            raise ValueError("FORKSAFE_TEST_DSN: expected mysql://user:password@host:port/database")
        self.host, self.port = parts.hostname, parts.port or 3306
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.database = unquote(parts.path.lstrip("/")) or "forksafe"
        self.options = dict(parse_qsl(parts.query))
        self.unix_socket = self.options.pop("unix_socket", None)
        self.ca_file = self.options.pop("ssl_ca", None)

    def connect_kwargs(self, transport: str = "tcp", **options: Any) -> dict[str, Any]:
        """As `Server` has it, with the options of the URL."""
        return super().connect_kwargs(transport, **{**self.options, **options})

    def _root_login(self) -> list[str]:
        place = [f"--host={self.host}", f"--port={self.port}", f"--user={self.user}"]
        return ["--protocol=tcp", *place]

    def _root_password(self) -> str:
        return self.password
