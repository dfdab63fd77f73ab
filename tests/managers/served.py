"""A site that a manager serves, as a test sees it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.managers import stall
from tests.managers.answers import Answer
from tests.managers.clients import Clients, Wrong, echo, fetch
from tests.managers.manager import Manager
from tests.managers.master import Master, is_alive
from tests.watched import Witness

WAYS = ("pool", "engine", "django", "kept")


class Site:
    """Served on `port`; `master` is the process that imported the application."""

    def __init__(self, manager: Manager, witness: Witness, port: int) -> None:
        self.manager, self.witness, self.port = manager, witness, port
        self.first: set[Answer] = set()
        manager.wait_until(self._serves, "the first answer")
        self.master = Master(manager, witness)

    def clients(self, count: int = 4) -> Clients:
        """Clients that ask by every way."""
        return Clients(self.port, WAYS, count)

    @contextlib.contextmanager
    def stalled(self, ways: Iterable[str] = WAYS) -> Iterator[list[Stalled]]:
        """A worker in the middle of a statement by each way; at the end the statements end."""
        try:
            yield [Stalled(self, way) for way in ways]
        finally:
            self.witness.release_locks()

    def assert_a_time_out_kills_none_but_the_stalled(self) -> None:
        """Workers in mid-query are killed by the manager; the others answer on, unharmed."""
        with self.stalled() as stalled, self.clients(2) as clients:
            workers = {request.worker for request in stalled}
            killed = {worker.pid for worker in workers}
            clients.wait_for_answers(100)
            others = clients.pids
            clients.wait_until(lambda: all(r.has_ended() for r in stalled), "the time-out")
            clients.wait_until(lambda: clients.pids > others, "answers of new workers")
        assert not any(map(is_alive, killed))
        assert all(map(is_alive, others))
        assert all(isinstance(request.outcome, Exception) for request in stalled)
        self.assert_unharmed({*clients.answers, *workers}, killed)

    def assert_unharmed(self, answers: Iterable[Answer], killed: Iterable[int] = ()) -> None:
        """No session was used by two processes, none is left of a worker that has ended.

        Of the sessions only those of `killed` workers, pids, may have ended without a goodbye.
        """
        answers = {*self.first, *answers}
        self.master.assert_alone(answers)
        self.master.wait_until_nothing_is_left(answers)
        self.master.assert_undisturbed()
        mute = {answer.session for answer in answers if answer.pid in set(killed)}
        assert self.master.aborted() <= len(mute)
        assert "panicked" not in self.manager.output()

    def _serves(self) -> bool:
        with contextlib.suppress(OSError, Wrong):
            self.first = {echo(self.port, "pool")}
        return bool(self.first)


#: What the fixture `serve` is: see fixtures.py.
Serve = Callable[..., contextlib.AbstractContextManager[Site]]


class Stalled:
    """A request whose statement waits for a lock of the witness; `worker` is about to answer."""

    def __init__(self, site: Site, way: str) -> None:
        self.site, self.way = site, way
        #: The worker's answer, or the error that the client got instead.
        self.outcome: Any = None
        self.lock = stall.take_lock(site.witness, way)
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        self.worker = stall.wait_for_worker(site.manager, site.witness, way)

    def has_ended(self) -> bool:
        """Whether the request has had its answer, or will have none."""
        return not self._thread.is_alive()

    def _ask(self) -> None:
        try:
            self.outcome = fetch(self.site.port, f"/{self.way}/stall?lock={self.lock}")
        except Exception as error:  # the test says which outcome is right
            self.outcome = error
