"""What happens to a pool, as its option `on_event` is told: `Event`, and `log`, the default.

    pool = forksafe.Pool(url, on_event=lambda event: metrics.increment(event.kind))

The function is called in the thread in which it happens, between two steps of the pool, so it
should be quick. What it raises goes to `sys.unraisablehook`. None: nobody is told. A pool that is
dropped without `close()`, or that lives until the interpreter ends, tells nothing of its end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOGGER = logging.getLogger("forksafe.pool")

#: The level at which `log` tells each kind of event; DEBUG for those that are not here.
LEVELS = {
    "server_down": logging.WARNING,
    "leak": logging.WARNING,
    "crowded": logging.WARNING,
    "server_back": logging.INFO,
    "reclaim": logging.INFO,
}


@dataclass(frozen=True)
class Event:
    """Something that happened to a pool.

    The kinds, and what `details` holds (times in seconds):

    connect: a connection was opened. id, took.
    discard: a connection is not kept. id, reason: a key of `stats()["discards"]`; and error, where
        a hook raised it.
    fork: the pool was made anew in a child. inherited: how many connections are its parent's.
    server_down: no connection can be opened. error.
    server_back: connections can be opened again. after, failures: of attempts in the meantime.
    leak: a lease is held longer than `leak_after`. thread, seconds, where it was taken.
    reclaim: a lease came back that was never checked in. thread, seconds, where it was taken (with
        `leak_after`), cause: "collected" or "thread_ended".
    crowded: all workers together may want more than the server takes; told once. workers, max_size,
        limit.
    """

    kind: str
    #: The pool's name.
    pool: str
    #: The process in which it happened.
    pid: int
    #: A sentence for people.
    text: str
    #: The same as data.
    details: Mapping[str, Any] = field(default_factory=dict)


def log(event: Event) -> None:
    """Log the event with the logger `forksafe.pool`.

    WARNING for `server_down`, `leak` and `crowded`, INFO for `server_back` and `reclaim`, DEBUG for
    the rest. The event itself is the record's attribute `event`.
    """
    level = LEVELS.get(event.kind, logging.DEBUG)
    if _is_on(level):
        LOGGER.log(
            level,
            "pool %r in process %d: %s",
            event.pool,
            event.pid,
            event.text,
            extra={"event": event},
        )


def _is_on(level: int) -> bool:
    """As `LOGGER.isEnabledFor(level)`, which may take logging's lock.

    A fork that was made in C may have copied it locked into this process, for ever.
    """
    enabled = not LOGGER.disabled and level > LOGGER.manager.disable
    return enabled and level >= LOGGER.getEffectiveLevel()
