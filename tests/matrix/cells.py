"""The product of the axes, and which of its cells cannot be."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.matrix.act import ACTS, Act
from tests.matrix.answers import HalfFetched, Prepared, Streaming
from tests.matrix.django import Django, DjangoPool
from tests.matrix.held import HoldingLock, HoldingTable
from tests.matrix.plain import Idle, InTransaction, Lent, Plain
from tests.matrix.sqlalchemy import Engine, StockEngine
from tests.matrix.state import State
from tests.matrix.threads import Connecting, Contended, Querying, Waiting
from tests.matrix.way import NO_CLONE, WAYS, Preexec, Way

STATES: tuple[type[State], ...] = (
    *(Idle, Lent, InTransaction, HalfFetched, Streaming, Prepared, HoldingLock, HoldingTable),
    *(Querying, Connecting, Contended, Waiting, Plain, Engine, StockEngine, Django, DjangoPool),
)
TRANSPORTS = ("tcp", "socket", "tls", "compress")


@dataclass(frozen=True)
class Cell:
    """One value of each axis."""

    state: type[State]
    act: Act
    transport: str
    way: Way

    def __str__(self) -> str:
        return f"{self.state.name}-{self.act.name}-{self.transport}-{self.way.name}"

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the values, in the order of the axes."""
        return (self.state.name, self.act.name, self.transport, self.way.name)


Rule = Callable[[Cell], bool]


def _ends_in_preexec_fn(cell: Cell) -> bool:
    return isinstance(cell.way, Preexec) and cell.act.name == "off_the_end"


def _lacks_a_pool(cell: Cell) -> bool:
    return cell.act.needs_pool and not cell.state.has_pool


def _copies_pythons_locks(cell: Cell) -> bool:
    return not cell.way.runs_hooks and cell.state.has_running_threads


def _cannot_clone(cell: Cell) -> bool:
    return cell.way.unavailable == NO_CLONE


#: Why a cell cannot be: the first rule that holds for it.
LEFT_OUT: dict[str, Rule] = {
    "after the end of preexec_fn comes an exec, which is the act exec": _ends_in_preexec_fn,
    "there is no pool in this state": _lacks_a_pool,
    "a fork past Python's hooks, while threads run, copies the interpreter's own locks as they are:"
    " such a child can run no Python": _copies_pythons_locks,
    NO_CLONE: _cannot_clone,
}


def product() -> Iterator[Cell]:
    """Every combination, those that cannot be among them."""
    # The state varies fastest: a failure of one of them shows early, and in all of its colours.
    for way, transport, act, state in itertools.product(WAYS, TRANSPORTS, ACTS, STATES):
        yield Cell(state, act, transport, way)


def rule_against(cell: Cell) -> str | None:
    """Why the cell cannot be; None if it can."""
    return next((reason for reason, holds in LEFT_OUT.items() if holds(cell)), None)


def possible() -> list[Cell]:
    """Every cell that can be run."""
    return [cell for cell in product() if rule_against(cell) is None]
