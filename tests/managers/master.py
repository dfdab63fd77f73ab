"""The process that imported the application, seen from outside: by the server, and by its word."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.managers.answers import Answer, opened, users
from tests.managers.given import COMMIT
from tests.managers.manager import Manager, wait_until
from tests.watched import Witness


class Master:
    """What it had opened when it reported these `facts`, and what must still be true of that.

    Without `facts`: those that were reported last.
    """

    def __init__(
        self, manager: Manager, witness: Witness, facts: dict[str, Any] | None = None
    ) -> None:
        self.manager, self.witness = manager, witness
        facts = facts or manager.reports("import")[-1]
        self.pid: int = facts["pid"]
        self.held: int = facts["held"]
        self.answers = opened(facts)
        self.sessions = {answer.session for answer in self.answers}
        self._aborted = witness.aborted_clients()
        #: Sessions of other tests, which may not have ended yet.
        self.others = witness.sessions() - self.sessions
        self.statements = self._last_statements()

    def assert_undisturbed(self) -> None:
        """Nobody has said a word on its sessions; its lock and its uncommitted row are there."""
        assert self._last_statements() == self.statements
        holder = f"SELECT IS_USED_LOCK('ledger{self.held}')"
        assert self.witness.ask(holder) == [(self.held,)]
        rows = f"trx_mysql_thread_id = {self.held}"
        trx = f"SELECT trx_rows_modified FROM information_schema.INNODB_TRX WHERE {rows}"
        assert self.witness.ask(trx) == [(1,)]
        assert self._marks() == []

    def assert_commits(self) -> None:
        """It writes another row and commits: same session, same variable, both rows."""
        os.kill(self.pid, COMMIT)
        self.manager.wait_until(lambda: self.manager.reports("commit"), "the master's word")
        assert self.manager.reports("commit") == [{"session": self.held, "mark": self.pid}]
        assert self._marks() == [(self.pid,), (self.pid,)]

    def assert_alone(self, answers: Iterable[Answer]) -> None:
        """No session is used by two processes."""
        used = users({*self.answers, *answers})
        shared = {session: pids for session, pids in used.items() if len(pids) > 1}
        assert shared == {}

    def wait_until_nothing_is_left(self, answers: Iterable[Answer]) -> None:
        """Until each open session is its own, or that of a process that lives."""
        answers = set(answers)

        def left() -> set[int]:
            living = {answer.session for answer in answers if is_alive(answer.pid)}
            return self.witness.sessions() - self.others - self.sessions - living

        self.manager.wait_until(lambda: not left(), "the end of the sessions of ended processes")

    def wait_until_all_has_ended(self) -> int:
        """After the manager's end: until no session is left; how many went without a goodbye."""
        wait_until(lambda: not self.witness.sessions() - self.others, "the end of all sessions")
        return self.aborted()

    def aborted(self) -> int:
        """How many sessions have ended without a goodbye since it was first looked at."""
        return self.witness.aborted_clients() - self._aborted

    def _last_statements(self) -> dict[int, int]:
        """The number of the last statement on each of its sessions that are open."""
        if not self.witness.is_mariadb:
            pytest.skip("MariaDB alone numbers the statements of a session")
        numbers = ", ".join(map(str, self.sessions))
        sql = f"SELECT ID, QUERY_ID FROM information_schema.PROCESSLIST WHERE ID IN ({numbers})"
        return dict(self.witness.ask(sql))

    def _marks(self) -> list[tuple[Any, ...]]:
        return self.witness.ask(f"SELECT mark FROM {self.manager.given.table} ORDER BY id")


def is_alive(pid: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except FileNotFoundError:
        return False
