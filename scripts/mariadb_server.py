"""A MariaDB or MySQL server that answers, as tests and the demo see it."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

Row = tuple[str | None, ...]

# What the command-line client puts after a backslash; anything else stands for itself.
ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}


class Server:
    """Where a server listens, who may log in, and what root can ask of it.

    Root's statements go through the `mariadb` command, so that the driver under test is not its
    own witness.
    """

    host = "127.0.0.1"
    port = 3306
    unix_socket: str | None = None
    ca_file: str | None = None
    user = "app"
    password = "app-secret"
    database = "forksafe"
    controllable = False

    @property
    def transports(self) -> tuple[str, ...]:
        """The ways to reach it, of "tcp", "socket", "tls", and "compress": by TCP, compressed."""
        ways = {"tcp": self.host, "socket": self.unix_socket, "tls": self.ca_file}
        ways["compress"] = self.host
        return tuple(name for name, offered in ways.items() if offered)

    def connect_kwargs(self, transport: str = "tcp", **options: Any) -> dict[str, Any]:
        """Keywords for `forksafe.connect`; `options` win over them, and None leaves one out."""
        account = {"user": self.user, "password": self.password, "database": self.database}
        kwargs = {**account, **self._where(transport), **options}
        return {name: value for name, value in kwargs.items() if value is not None}

    def url(self, transport: str = "tcp", *, scheme: str = "mysql", **options: Any) -> str:
        """The same as a URL; `scheme` is for SQLAlchemy's `mysql+forksafe`."""
        left = self.connect_kwargs(transport, **options)
        account = quote(left.pop("user", ""), safe="")
        if password := left.pop("password", ""):
            account += ":" + quote(password, safe="")
        host, port = left.pop("host", "localhost"), left.pop("port", None)
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        database = quote(left.pop("database", ""), safe="")
        query = urlencode({name: _as_text(value) for name, value in left.items()}, safe="/")
        return f"{scheme}://{account}@{place}/{database}" + (f"?{query}" if query else "")

    def execute_as_root(self, sql: str) -> list[Row]:
        """Run one or several statements; the rows of all of them, as text."""
        command = shutil.which("mariadb") or shutil.which("mysql")
        if command is None:
            raise RuntimeError("the command-line client `mariadb` is not installed")
        done = subprocess.run(
            [command, "--no-defaults", "--batch", "--skip-column-names", *self._root_login()],
            input=sql,
            env={**os.environ, "MYSQL_PWD": self._root_password()},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{done.stderr.strip()} (in: {sql})")
        return [_parse(line) for line in done.stdout.splitlines()]

    def status(self, name: str) -> int:
        """A counter of SHOW GLOBAL STATUS, such as "Aborted_clients"."""
        rows = self.execute_as_root(f"SHOW GLOBAL STATUS WHERE Variable_name = '{name}'")
        return int(rows[0][1] or 0)

    def variable(self, name: str) -> str:
        """The global value of a system variable."""
        return self.execute_as_root(f"SELECT @@GLOBAL.{name}")[0][0] or ""

    @functools.cached_property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, and not MySQL."""
        return "mariadb" in (self.execute_as_root("SELECT VERSION()")[0][0] or "").lower()

    @property
    def isolation(self) -> str:
        """The system variable that has the isolation level; each server has its own name for it."""
        return "tx_isolation" if self.is_mariadb else "transaction_isolation"

    @contextlib.contextmanager
    def variables(self, **new: object) -> Iterator[None]:
        """Set system variables globally, and put them back; sessions opened meanwhile see them."""
        old = {name: self.variable(name) for name in new}
        self._set(new)
        try:
            yield
        finally:
            self._set(old)

    def processlist(self) -> list[dict[str, str | None]]:
        """The open sessions, root's own and the server's daemons left out."""
        columns = ("ID", "USER", "HOST", "DB", "COMMAND", "TIME", "STATE", "INFO")
        rows = self.execute_as_root(
            f"SELECT {', '.join(columns)} FROM information_schema.PROCESSLIST"
            " WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon'"
            " AND USER NOT IN ('system user', 'event_scheduler') ORDER BY ID"
        )
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def session_ids(self) -> set[int]:
        """The CONNECTION_ID() of each open session of `user`."""
        return {int(row["ID"] or 0) for row in self.processlist() if row["USER"] == self.user}

    def kill_session(self, connection_id: int) -> None:
        """End one session as an administrator would."""
        self.execute_as_root(f"KILL {connection_id}")

    def _where(self, transport: str) -> dict[str, Any]:
        if transport not in self.transports:
            raise ValueError(f"this server offers {self.transports}, not {transport!r}")
        if transport == "socket":
            return {"unix_socket": self.unix_socket}
        place = {"host": self.host, "port": self.port}
        if transport == "tls":
            return {**place, "ssl_mode": "VERIFY_IDENTITY", "ssl_ca": self.ca_file}
        clear = {**place, "ssl_mode": "DISABLED"}
        return {**clear, "compress": True} if transport == "compress" else clear

    def _root_login(self) -> list[str]:
        """Options of the command-line client that log root in."""
        raise NotImplementedError

    def _root_password(self) -> str:
        return ""

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self.execute_as_root(f"SET GLOBAL {name} = {_literal(value)}")


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _literal(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"-?\d+(\.\d+)?", text) else "'" + text.replace("'", "''") + "'"


def _parse(line: str) -> Row:
    return tuple(None if field == "NULL" else _unescape(field) for field in line.split("\t"))


def _unescape(field: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), field)
