"""What a storm's parent has, and its children inherit."""

from __future__ import annotations

import contextlib
import os
from typing import IO, Any

from scripts.mariadb_server import Server
from tests.storm import statements
from tests.storm.counts import Counts
from tests.storm.descriptors import open_descriptors, sockets
from tests.storm.pinned import Pinned
from tests.storm.plan import Plan

SHARED_SIZE = 5  # less than the threads that use it
RESTLESS_SIZE = 3
RECYCLE = 0.02  # seconds
TIMEOUT = 30.0  # seconds; nobody who is patient waits so long
LONG = 1e5  # seconds, longer than any storm


class World:
    """Pools, pinned sessions, the pipe that children report to, and what was open before them."""

    def __init__(self, plan: Plan, server: Server, stacks: IO[str]) -> None:
        self.plan, self.server, self.stacks = plan, server, stacks
        self.driver = driver(plan.driver)
        self.transport = "tcp" if plan.busy else "tls"
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.known = set(open_descriptors())
        self.shared = self.pool(self.transport, max_size=SHARED_SIZE)
        self.pools = [self.shared]
        if plan.busy:
            other = "socket" if "socket" in server.transports else "tcp"
            self.restless = self.pool(other, max_size=RESTLESS_SIZE, recycle=RECYCLE)
            self.pools.append(self.restless)
        self.sessions = self.shared_sessions()
        self.pinned: list[Pinned] = []

    def pool(self, transport: str, **options: Any) -> Any:
        """A pool that keeps its sessions, unless `options` say otherwise."""
        lasting = {"recycle": LONG, "max_idle": LONG, "ping_after": LONG, "timeout": TIMEOUT}
        return self.driver.Pool(**self.server.connect_kwargs(transport, **{**lasting, **options}))

    def connect(self, transport: str) -> Any:
        """A connection without a pool."""
        return self.driver.connect(**self.server.connect_kwargs(transport))

    def shared_sessions(self) -> set[int]:
        """Of the shared pool, filled to its size: none of them may be lent."""
        held = [self.shared.connect() for _ in range(SHARED_SIZE)]
        found = set()
        for connection in held:
            connection.ping()
            found.add(connection.thread_id())
            connection.close()
        return found

    def settle_in_child(self) -> Counts:
        """Make it the world of a storm whose parent is itself a child.

        Returns the counts to go on with: no inherited socket may be open.
        """
        counts = Counts()
        self.shared.stats()
        for number, meaning in sockets().items():
            counts.note("child_gained", f"{number} {meaning} in the storm's parent, itself a child")
        self.known = set(open_descriptors())
        self.sessions = self.shared_sessions()
        return counts

    def pin(self) -> None:
        """Sessions that must be the same at the end: one in a pool of its own, one without."""
        self.vault = self.pool(self.transport, max_size=1)
        self.pinned = [Pinned(self.vault.connect()), Pinned(self.connect(self.transport))]

    def close(self) -> None:
        """Let go of everything, as a parent that ends does."""
        for pinned in self.pinned:
            with contextlib.suppress(self.driver.Error):
                pinned.connection.close()
        for pool in (*self.pools, self.vault):
            pool.close()


def make_tables(server: Server) -> None:
    """Empty ones, for what children and parent write."""
    for table in (statements.ROWS, statements.PINNED):
        name = f"{server.database}.{table}"
        server.execute_as_root(f"DROP TABLE IF EXISTS {name}")
        columns = "session INT, n INT, PRIMARY KEY (session, n)"
        server.execute_as_root(f"CREATE TABLE {name} ({columns}) ENGINE=InnoDB")


def driver(name: str) -> Any:
    """The module with `Pool`, `connect` and the errors: `forksafe`, or one that must fail."""
    if name == "forksafe":
        import forksafe

        return forksafe
    from tests.storm import sharing

    return sharing
