"""A worker in the middle of a statement, for as long as the witness holds a lock.

The application reports "stall" with its way and pid, and then asks for the lock.
"""

from __future__ import annotations

from tests.managers.answers import Answer
from tests.managers.manager import Manager
from tests.watched import Witness


def take_lock(witness: Witness, way: str) -> str:
    """The name of a lock for this way, which the witness has until its `release_locks`."""
    assert witness.ask(f"SELECT GET_LOCK('stall_{way}', 0)") == [(1,)]
    return f"stall_{way}"


def wait_for_worker(manager: Manager, witness: Witness, way: str) -> Answer:
    """Who waits for the lock of this way, and on which session."""
    where = f"STATE = 'User lock' AND INFO LIKE '%stall_{way}%'"
    waiting = f"SELECT ID FROM information_schema.PROCESSLIST WHERE {where}"
    manager.wait_until(lambda: witness.ask(waiting), "a statement that waits")
    [(session,)] = witness.ask(waiting)
    [pid] = [facts["pid"] for facts in manager.reports("stall") if facts["way"] == way]
    return Answer(pid, session)
