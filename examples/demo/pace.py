"""How hard and how long: the same for both columns."""

from __future__ import annotations

from dataclasses import dataclass

WAIT_TIMEOUT = 2  # seconds, after which the server ends an idle session
NAP = 2.6  # seconds, of a client between bursts and of a background job: past WAIT_TIMEOUT
CLIENTS = 8  # at once
BURSTS = 3  # a phase
REQUESTS = 100  # of each client in a burst
JOBS = BURSTS - 1  # started in workers, a phase; none so late that the phase's end would cut it off
PATIENCE = 5.0  # seconds a client waits for an answer; then the request counts as hung
TICKETS = 200  # rows to ask for


@dataclass(frozen=True)
class Phase:
    """One run of gunicorn. By `max_requests` a worker retires about twice, after burst 1."""

    shift: str
    title: str
    worker_class: str
    workers: int
    threads: int
    max_requests: int

    @property
    def planned(self) -> int:
        """Requests that clients make in it."""
        return BURSTS * CLIENTS * REQUESTS + JOBS

    def environment(self) -> dict[str, str]:
        """What `site/gunicorn_conf.py` and `site/ledger.py` read."""
        return {
            "DEMO_SHIFT": self.shift,
            "DEMO_WORKER_CLASS": self.worker_class,
            "DEMO_WORKERS": str(self.workers),
            "DEMO_THREADS": str(self.threads),
            "DEMO_MAX_REQUESTS": str(self.max_requests),
        }


PHASES = (
    Phase("sync", "4 sync workers", "sync", 4, 1, 250),
    Phase("threads", "2 x 4 threads", "gthread", 2, 4, 500),
)

PLANNED = sum(phase.planned for phase in PHASES)
