"""Connections that do nothing while their process forks."""

from __future__ import annotations

import forksafe
from tests.matrix.state import State


class Lent(State):
    """Lent by a pool, no transaction open."""

    name = "lent"
    rows = ()


class InTransaction(State):
    """Lent by a pool, in a transaction."""

    name = "in_transaction"


class Idle(State):
    """Idle in the pool; what a child acts on is the handle of the caller who gave it back."""

    name = "idle"
    rows = ()

    def enter(self) -> None:
        super().enter()
        self.connection.close()

    def go_on(self) -> None:
        self.connection = self.pool.connect()


class Plain(State):
    """A connection without a pool, in a transaction; a child that works makes a pool."""

    name = "plain"
    has_pool = False

    def enter(self) -> None:
        self.connection = forksafe.connect(**self.options())
        self.mark()

    def verify_counts(self, connects: int = 1) -> None:
        assert not self.connection.inherited
