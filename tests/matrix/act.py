"""What a child does with what it inherited, and how it leaves."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable

from tests.fork import ChildLeaves
from tests.matrix.state import State
from tests.matrix.way import Way, run_child

#: What a child does; answers the sessions of its own that it had.
Job = Callable[[State], set[int]]


class Act:
    """Something done in a child, which then works at full size and leaves by `os._exit`."""

    #: Whether it needs a pool in the state.
    needs_pool = False

    def __init__(self, name: str, do: Callable[[State], object]) -> None:
        self.name, self._do = name, do

    def jobs(self, way: Way) -> list[Job]:
        """What children do in turn, each of them forked from the same state."""

        def job(state: State) -> set[int]:
            self._do(state)
            return state.work()

        return [job]

    def leave(self, way: Way) -> None:
        """End the child; where it returns, the child goes on with what comes after the fork."""
        os._exit(0)


class PoolAct(Act):
    """An act on the inherited pool."""

    needs_pool = True


class Leaving(Act):
    """A way to leave: at once, and after work at full size.

    At once is not the same: then the end of the interpreter meets what nobody has touched.
    """

    def __init__(self, name: str, leave: Callable[[Way], object]) -> None:
        super().__init__(name, lambda state: None)
        self._leave = leave

    def jobs(self, way: Way) -> list[Job]:
        return [lambda state: set(), *super().jobs(way)]

    def leave(self, way: Way) -> None:
        self._leave(way)


class ForkingAgain(Act):
    """Grandchildren, forked in the same way, do each act that is not a way to leave."""

    def __init__(self, name: str) -> None:
        super().__init__(name, lambda state: None)

    def jobs(self, way: Way) -> list[Job]:
        def child(state: State) -> set[int]:
            sessions: set[int] = set()
            for act in DOING:
                if state.has_pool or not act.needs_pool:
                    [job] = act.jobs(way)
                    sessions |= run_child(state, job, way, act.leave, 0)
            own = state.work()
            assert not own & sessions, "a child got its own child's session"
            return own | sessions

        return [child]


def _collect(state: State) -> None:
    dropped = state.drop()
    gc.collect()
    if not state.has_threads:
        assert [reference() for reference in dropped] == [None] * len(dropped)


def _raise(way: Way) -> None:
    raise ChildLeaves("a child leaves by an uncaught error, as it should")


def _die(way: Way) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


DOING = (
    Act("collect", _collect),
    Act("close", lambda state: state.close()),
    PoolAct("close_pool", lambda state: state.close_pool()),
    Act("rollback", lambda state: state.rollback()),
    Act("commit", lambda state: state.commit()),
    Act("query", lambda state: state.query()),
    PoolAct("query_pool", lambda state: state.query_by_pool()),
)

ACTS = (
    Leaving("_exit", lambda way: os._exit(0)),
    Leaving("sys_exit", lambda way: sys.exit(0)),
    Leaving("off_the_end", lambda way: None),
    Leaving("exception", _raise),
    Leaving("signal", _die),
    *DOING,
    ForkingAgain("fork_again"),
    Leaving("exec", lambda way: way.exec()),
)
