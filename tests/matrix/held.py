"""What a session holds on the server, and loses when it ends."""

from __future__ import annotations

from tests.matrix.state import State


class HoldingLock(State):
    """GET_LOCK held."""

    name = "get_lock"

    def enter(self) -> None:
        super().enter()
        self.lock = f"{self.stage.table}_{self.token}"
        assert self.ask(f"SELECT GET_LOCK('{self.lock}', 0)") == [(1,)]

    def go_on(self) -> None:
        assert self.witness.ask(f"SELECT IS_USED_LOCK('{self.lock}')") == [(self.session,)]
        assert self.ask(f"SELECT RELEASE_LOCK('{self.lock}')") == [(1,)]


class HoldingTable(State):
    """A temporary table with rows."""

    name = "temporary_table"

    def enter(self) -> None:
        super().enter()
        self.ask("CREATE TEMPORARY TABLE scratch (id INT PRIMARY KEY)")
        self.ask("INSERT INTO scratch VALUES (1), (2)")

    def go_on(self) -> None:
        self.ask("INSERT INTO scratch VALUES (3)")
        assert self.ask("SELECT id FROM scratch ORDER BY id") == [(1,), (2,), (3,)]
