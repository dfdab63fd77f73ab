"""What all cells share: the server, its witness, a table, and a slow way to the server."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.mariadb_server import Server
from tests.proxy import FaultProxy
from tests.watched import Witness

PATIENCE = 10.0  # seconds that the server may need to notice the end of a session


class Stage:
    """Made once, for many cells."""

    def __init__(
        self,
        server: Server,
        directory: Path,
        flush: Callable[[], None],
        use_django: Callable[[], None],
    ) -> None:
        self.server, self.witness, self.directory = server, Witness(server), directory
        self.flush = flush  # what the process has printed: a child would print it again
        self.use_django = use_django
        self.table = f"matrix{os.getpid()}"
        self._proxies: dict[bool, FaultProxy] = {}
        columns = "token INT, id INT, PRIMARY KEY (token, id)"
        self.witness.ask(f"CREATE TABLE {self.table} ({columns}) ENGINE=InnoDB")
        self.witness.wait_until_quiet()

    def rows(self, token: int) -> list[int]:
        """The rows of a cell, as others than its parent see them."""
        where = f"token = {token} ORDER BY id"
        return [row[0] for row in self.witness.ask(f"SELECT id FROM {self.table} WHERE {where}")]

    def proxy(self, transport: str) -> tuple[FaultProxy, dict[str, Any]]:
        """A network that can be slow, and the options that lead through it."""
        by_file = transport == "socket"
        path = str(self.directory / "proxy.sock")
        if by_file not in self._proxies:
            place = (path,) if by_file else ()
            self._proxies[by_file] = FaultProxy(self.server.host, self.server.port, *place)
        proxy = self._proxies[by_file]
        there = {"unix_socket": path} if by_file else {"host": proxy.host, "port": proxy.port}
        return proxy, there

    @contextlib.contextmanager
    def nothing_left(self) -> Iterator[None]:
        """Raise AssertionError unless the block gives back every descriptor and every session,
        and each session with a goodbye.
        """
        descriptors, aborted = _descriptors(), self.witness.aborted_clients()
        sessions, owner = self.witness.sessions(), os.getpid()
        yield
        if os.getpid() != owner:
            return  # a child that is on its way out
        gained = _descriptors().keys() - descriptors.keys()
        assert not gained, f"the parent has gained {[_descriptors()[each] for each in gained]}"
        deadline = time.monotonic() + PATIENCE
        while left := self.witness.sessions() - sessions:
            assert time.monotonic() < deadline, f"the sessions {left} do not end"
            time.sleep(0.001)
        # A statement of an earlier test may outlive its client, and end without a goodbye now.
        earlier = len(sessions - self.witness.sessions())
        aborts = self.witness.aborted_clients() - aborted - earlier
        assert aborts <= 0, f"{aborts} sessions ended without a goodbye (Aborted_clients)"

    def close(self) -> None:
        """Drop the table, end the proxies."""
        for proxy in self._proxies.values():
            proxy.close()
        # Not for ever: a cell that failed may hold a lock on it.
        self.witness.ask("SET lock_wait_timeout = 5")
        self.witness.ask(f"DROP TABLE {self.table}")
        self.witness.connection.close()


def _descriptors() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the descriptor of the listing itself
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found
