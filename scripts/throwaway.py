"""A server of our own: fresh data in a temporary directory, gone when its maker ends.

Which server it is, `throwaway_mariadb` and `throwaway_mysql` say.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from scripts.certificates import Certificates, make_certificates
from scripts.mariadb_server import Server

START_TIMEOUT = 60.0  # seconds, until the server greets
STOP_TIMEOUT = 30.0  # seconds, then SIGKILL

# Debian keeps the server where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"))

# What every server of ours is told, whoever made it.
SERVING = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--max-connections=1000",
    "--max-connect-errors=1000000",
    "--tls-version=TLSv1.2,TLSv1.3",
    "--table-open-cache=400",
    "--performance-schema=0",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-log-buffer-size=2M",
    "--innodb-read-io-threads=1",
    "--innodb-write-io-threads=2",
    "--innodb-purge-threads=1",
)

ACCOUNTS = """
CREATE DATABASE {database};
CREATE USER {user}@'%' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO {user}@'%' WITH GRANT OPTION;
CREATE USER tls_only@'%' IDENTIFIED BY '{password}' REQUIRE SSL;
GRANT ALL ON {database}.* TO tls_only@'%';
CREATE USER cert_only@'%' IDENTIFIED BY '{password}' REQUIRE X509;
GRANT ALL ON {database}.* TO cert_only@'%';
CREATE USER nobody@'%' IDENTIFIED BY '{password}';
"""

Made = TypeVar("Made", bound="Throwaway")


class Throwaway(Server):
    """Started by `start()` or by `with`; ended by `close()`, or with the process that made it.

    `options` are further options of the server, `root` is where an unpacked one lies (see
    scripts/debian-unpack.sh) that is to be taken instead of the installed one. Port and data
    outlive `stop()` and `kill()`, and end with `close()`. A forked child of the maker controls
    nothing: there these methods return at once. On Linux the server also ends with the thread
    that started it, however that thread ends.
    """

    program: str
    to_have_it: str  # what to do where it is missing
    controllable = True
    certificates: Certificates | None = None

    def __init__(self, *options: str, tls: bool = True, root: Path | None = None) -> None:
        self.options = options
        self.tls = tls
        self.root = root
        self.maker = os.getpid()
        self.process: subprocess.Popen[bytes] | None = None
        # Short on purpose: the path of a unix socket has about a hundred bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="forksafe-"))
        self.unix_socket = str(self.directory / "sock")
        self.port = _free_port()
        atexit.register(self.close)

    def __enter__(self: Made) -> Made:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        """Whether the server's process is there."""
        return self.process is not None and self.process.poll() is None

    def start(self: Made) -> Made:
        """Start it, and wait until it greets; the first start makes data and accounts."""
        if self.is_foreign() or self.is_running():
            return self
        fresh = not (self.directory / "data" / "mysql").exists()
        if fresh:
            self._prepare()
        self._run()
        if fresh:
            self._make_accounts()
        return self

    def stop(self) -> None:
        """Shut it down as an administrator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it by SIGKILL: no goodbye, no flush."""
        self._end(signal.SIGKILL)

    def another(self: Made, *options: str, tls: bool = True) -> Made:
        """A further server of the same kind, not started yet."""
        return type(self)(*options, tls=tls, root=self.root)

    def restart(self) -> None:
        """Stop and start; the port stays the same."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and remove all that it left."""
        if self.is_foreign():
            return
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.directory, ignore_errors=True)

    def is_foreign(self) -> bool:
        """Whether this process is not the one that made it."""
        return os.getpid() != self.maker

    def error_log(self, lines: int = 20) -> str:
        """The end of what the server wrote."""
        log = self.directory / "error.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _prepare(self) -> None:
        if self.tls:
            home = self.directory / "tls"
            home.mkdir()
            self.certificates = make_certificates(home)
            self.ca_file = str(self.certificates.ca)
        self._make_data()

    def _places(self) -> list[str]:
        """Where the server keeps what it keeps.

        A server that starts deletes the temporary tables it finds in its `tmpdir`, so a shared
        one would end those of other servers, and now and then the servers.
        """
        scratch = self.directory / "tmp"
        scratch.mkdir(exist_ok=True)
        return [f"--datadir={self.directory / 'data'}", f"--tmpdir={scratch}"]

    def _run(self) -> None:
        command = [
            *(self._find(self.program), "--no-defaults", f"--user={getpass.getuser()}"),
            *(*self._places(), f"--socket={self.unix_socket}"),
            *(f"--port={self.port}", f"--pid-file={self.directory / 'pid'}"),
            f"--log-error={self.directory / 'error.log'}",
            *(*SERVING, *self._own_options(), *self._tls_options(), *self.options),
        ]
        # A session of its own: Ctrl-C at the terminal is for the maker, who then stops it.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent(),
        )
        self._wait_until_greeted()

    def _make_data(self) -> None:
        """Make the data directory of a server that has never run."""
        raise NotImplementedError

    def _own_options(self) -> tuple[str, ...]:
        """What this kind of server alone is told."""
        raise NotImplementedError

    def _make_accounts(self) -> None:
        names = {"user": self.user, "password": self.password, "database": self.database}
        self.execute_as_root(self._accounts().format(**names))

    def _accounts(self) -> str:
        return ACCOUNTS

    def _find(self, program: str) -> str:
        places = [self.root / "usr" / "sbin", self.root / "usr" / "bin"] if self.root else []
        path = os.pathsep.join(map(str, places)) if places else SEARCH_PATH
        if found := shutil.which(program, path=path):
            return found
        raise RuntimeError(f"{program} is not in {self.root or 'PATH'}: {self.to_have_it}")

    def _tls_options(self) -> list[str]:
        if self.certificates is None:
            return []
        return [
            f"--ssl-ca={self.certificates.ca}",
            f"--ssl-cert={self.certificates.server_cert}",
            f"--ssl-key={self.certificates.server_key}",
        ]

    def _wait_until_greeted(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.is_running():
            if self._greets():
                return
            time.sleep(0.02)
        log = self.error_log()
        self.kill()
        raise RuntimeError(f"{self.program} did not start; its log ends:\n{log}")

    def _greets(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(str(self.unix_socket))
                return client.recv(1) != b""
            except OSError:
                return False

    def _end(self, how: signal.Signals) -> None:
        if self.is_foreign() or self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _root_login(self) -> list[str]:
        return [f"--socket={self.unix_socket}", "--user=root"]


def _free_port() -> int:
    # Below what the kernel gives to outgoing connections, which would take it during a restart.
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def _end_with_parent() -> Callable[[], None] | None:
    """For Linux: ask the kernel to end the server when its parent is killed."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    pr_set_pdeathsig = 1
    return lambda: prctl(pr_set_pdeathsig, signal.SIGTERM) and None
