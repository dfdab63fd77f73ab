"""No child disturbs its parent: in each state, whatever it does, however it was forked.

`--matrix=pairs` (the default) runs a selection of the cells in which every two values meet,
`--matrix=all` runs them all.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests import fork
from tests.matrix import cells, pairs, sabotage
from tests.matrix.act import ACTS
from tests.matrix.answers import HalfFetched, Prepared, Streaming
from tests.matrix.cell import run
from tests.matrix.cells import Cell
from tests.matrix.django import Django
from tests.matrix.held import HoldingLock, HoldingTable
from tests.matrix.plain import Idle, InTransaction, Lent
from tests.matrix.sabotage import Rudeness, Sabotage
from tests.matrix.sqlalchemy import Engine
from tests.matrix.stage import Stage
from tests.matrix.state import State
from tests.matrix.threads import Connecting, Querying, Waiting
from tests.matrix.way import Way

pytest_plugins = ("tests.djangosite.fixtures",)

# It depends on who is quicker, the server to notice or the parent to ask.
GONE = "session has ended|2006|2013"

pytestmark = [
    # Python 3.12+ warns of every fork beside threads; they are the point here.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.skipif(
        not Path("/proc/self/fd").is_dir(), reason="reads the descriptors in /proc (Linux)"
    ),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a cell."""
    if "cell" in metafunc.fixturenames:
        chosen = cells.possible()
        if metafunc.config.getoption("matrix") == "pairs":
            chosen = pairs.select(chosen)
        metafunc.parametrize("cell", chosen, ids=str)


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """What all cells share."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    flush = reporter.flush if reporter else lambda: None
    directory = tmp_path_factory.mktemp("matrix")
    stage = Stage(server, directory, flush, lambda: request.getfixturevalue("django_site"))
    yield stage
    stage.close()


def test_a_parent_is_not_disturbed(cell: Cell, stage: Stage) -> None:
    if cell.transport not in stage.server.transports:
        pytest.skip(f"the server offers no {cell.transport}")
    if run(cell, stage):
        fork.end_unwound_child()


@pytest.mark.parametrize("reason", cells.LEFT_OUT)
def test_no_cell_is_left_out_because(reason: str) -> None:
    if count := Counter(map(cells.rule_against, cells.product()))[reason]:
        pytest.skip(f"{count} cells of the matrix: {reason}")


def test_in_the_selection_every_two_values_meet_that_can() -> None:
    everything = cells.possible()
    can_meet = {pair for cell in everything for pair in itertools.combinations(cell.values, 2)}
    selected = pairs.select(everything)
    meet = {pair for cell in selected for pair in itertools.combinations(cell.values, 2)}
    assert meet == can_meet
    assert len(selected) < len(everything) / 10


@pytest.mark.parametrize(
    ("state", "harm", "complaint"),
    [
        (Idle, sabotage.says_goodbye, GONE),
        (Lent, sabotage.shuts_down, GONE),
        (Lent, sabotage.executes("SET @x = 0"), r"\[\(\d+, 0\)\]"),
        (InTransaction, sabotage.executes("ROLLBACK"), r"\[3\] == \[1, 2, 3\]"),
        (InTransaction, sabotage.executes("COMMIT"), "seen by others"),
        (HalfFetched, sabotage.reads, "2013"),
        (Streaming, sabotage.reads, "2013|2027|can't decode"),
        (Prepared, sabotage.closes_statements, "Unknown prepared statement"),
        (HoldingLock, sabotage.executes("DO RELEASE_ALL_LOCKS()"), r"\[\(None,\)\]"),
        (
            HoldingTable,
            sabotage.executes("DROP TEMPORARY TABLE scratch"),
            "scratch.* doesn't exist",
        ),
        (Querying, sabotage.shuts_down, "query did not wait"),
        (Connecting, sabotage.shuts_down, f"{GONE}|connect did not wait"),
        (Waiting, sabotage.says_goodbye, GONE),
        (Engine, sabotage.says_goodbye, GONE),
        (Django, sabotage.says_goodbye, GONE),
    ],
)
def test_a_cell_fails_whose_child(
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    state: type[State],
    harm: Callable[[socket.socket], object],
    complaint: str,
) -> None:
    cell = Cell(state, Sabotage(harm), "tcp", Way())
    monkeypatch.setattr("tests.matrix.state.PATIENCE", 3)
    with pytest.raises((AssertionError, forksafe.Error, UnicodeDecodeError), match=complaint):
        run(cell, stage)
    stage.witness.wait_until_quiet()


def test_a_cell_fails_whose_child_leaves_without_a_goodbye(stage: Stage) -> None:
    with pytest.raises(AssertionError, match="1 sessions ended without a goodbye"):
        run(Cell(Idle, Rudeness(), "tcp", Way()), stage)


def test_a_cell_fails_whose_parent_gains_a_descriptor(stage: Stage) -> None:
    kept = []

    class Gaining(Lent):
        def go_on(self) -> None:
            kept.append(os.dup(self.connection.fileno()))

    with pytest.raises(AssertionError, match="the parent has gained"):
        run(Cell(Gaining, ACTS[0], "tcp", Way()), stage)
    os.close(kept[0])
