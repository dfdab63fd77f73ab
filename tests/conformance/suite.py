"""What a suite has to tell, so that it can be run."""

from __future__ import annotations

import abc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from scripts.mariadb_server import Server
from scripts.servers import INSTALLED
from tests.conformance.sources import DebianSource

INSIDE = Path(__file__).parent / "inside"
OURS, THEIRS = "forksafe", "mysqlclient"


@dataclass(frozen=True)
class Plan:
    """One run of one suite.

    `labels` name parts of the suite, in its own way; none are all, or with `core` the core
    selection. `jobs` is the number of processes, for a suite that can use several. `server` is the
    kind of server, for a run is compared with one on the same kind.
    """

    suite: str
    driver: str = OURS
    pool: bool = False
    core: bool = False
    transport: str = "tcp"
    server: str = INSTALLED
    labels: tuple[str, ...] = ()
    jobs: int = 2
    python: str = sys.executable
    wheel: Path | None = None

    @property
    def key(self) -> str:
        """A name for files; two plans with the same one are the same run."""
        selection = "-".join(self.labels) if self.labels else "core" if self.core else "whole"
        parts = (self.suite, selection[:60], self.driver, "pool" if self.pool else "nopool")
        return ".".join((*parts, self.transport, self.server)).replace("/", "_")


@dataclass(frozen=True)
class Command:
    """What to run in the environment: `arguments` follow the interpreter."""

    arguments: Sequence[str]
    directory: Path
    variables: Mapping[str, str] = field(default_factory=dict)


class Suite(abc.ABC):
    """One project's own tests."""

    name: ClassVar[str]
    #: "Name==version" of the source distribution.
    source: ClassVar[str]
    #: Where it is, if not on PyPI.
    debian: ClassVar[DebianSource | None] = None
    #: What its environment needs besides forksafe and mysqlclient.
    requirements: ClassVar[Sequence[str]]
    #: Whether there is something to run with a pool.
    has_pool: ClassVar[bool] = False
    #: Whether it runs on mysqlclient.
    has_mysqlclient: ClassVar[bool] = True
    #: The suite whose run on mysqlclient is the one to compare with, where it is another.
    beside: ClassVar[str | None] = None
    #: The most seconds that it may take.
    limit: ClassVar[float] = 3600
    #: Tests that pass on mysqlclient and fail here, and tests that fail on both: by name, with the
    #: cause. A name that ends in `*` stands for all that begin so.
    exceptions: ClassVar[Mapping[str, str]] = {}
    #: Those that a pool brings.
    pooled_exceptions: ClassVar[Mapping[str, str]] = {}
    #: The fewest tests that a run of all has, and one of the core selection: a run with fewer has
    #: been cut short, whatever its exit code.
    least: ClassVar[int]
    least_core: ClassVar[int | None] = None
    #: The oldest Python that it takes.
    since: ClassVar[tuple[int, int]] = (3, 10)

    def known(self, plan: Plan) -> dict[str, str]:
        """The exceptions of one run."""
        return {**self.exceptions, **(self.pooled_exceptions if plan.pool else {})}

    def all_exceptions(self) -> dict[str, str]:
        """The exceptions of all runs, for people to read."""
        pooled = {name: f"with a pool: {why}" for name, why in self.pooled_exceptions.items()}
        return {**self.exceptions, **pooled}

    def prepare(self, server: Server, plan: Plan) -> None:  # noqa: B027 - most need nothing
        """Make on the server what the suite expects to find."""

    def fewest(self, plan: Plan) -> int:
        """The fewest tests that a run has which is whole; a selection by labels may have one."""
        if plan.labels:
            return 1
        return self.least_core if plan.core and self.least_core is not None else self.least

    def since_text(self) -> str:
        """Such as "3.12"."""
        return ".".join(map(str, self.since))

    @abc.abstractmethod
    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """How to run it, such that a recorder of `inside/` writes to `outcomes`."""
