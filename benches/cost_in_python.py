"""`python -m benches.cost_in_python`: what fork safety costs a check-out, seen from Python, against
the same build without it, and beside SQLAlchemy's pool over mysqlclient or PyMySQL.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from benches.builds import BUILDS, ROOT, package
from benches.figures import Figures, table
from benches.header import header
from benches.lending import CASES
from benches.record import arguments, publish
from scripts.throwaway_mariadb import ThrowawayMariaDB

PACKAGES = ("forksafe", "PyMySQL", "mysqlclient", "SQLAlchemy")
SUBJECTS = (*BUILDS, "peer")

# Microseconds, by subject and case.
Measured = dict[str, dict[str, Figures]]


def main() -> None:
    """Build twice; let two interpreters with the builds and one with the peer take turns."""
    asked = arguments("cost_in_python", rounds=41)
    packages = {build: package(build) for build in BUILDS}
    measured: Measured = {subject: defaultdict(Figures) for subject in SUBJECTS}
    with ThrowawayMariaDB() as server:
        head = header(PACKAGES)
        workers = {
            subject: _Worker(subject, packages.get(subject), str(server.unix_socket))
            for subject in SUBJECTS
        }
        for turn in range(asked.rounds):
            for subject in SUBJECTS if turn % 2 else reversed(SUBJECTS):
                for case in CASES:
                    measured[subject][case].add(workers[subject].measure(case))
        for worker in workers.values():
            worker.close()
    text = f"{head}; unix socket; {asked.rounds} rounds of each.\n\n{_table(measured)}"
    publish("cost in Python", text, asked)


class _Worker:
    """An interpreter that measures on demand: see lending.py."""

    def __init__(self, subject: str, package: Path | None, unix_socket: str) -> None:
        found = [str(each) for each in (package, ROOT) if each]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benches.lending", subject, unix_socket],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(found)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        home = self._read()
        assert package is None or home.startswith(str(package)), f"measures {home}"

    def measure(self, case: str) -> float:
        """Microseconds a call."""
        assert self.process.stdin
        print(case, file=self.process.stdin, flush=True)
        return float(self._read())

    def close(self) -> None:
        """End it."""
        self.process.communicate(timeout=30)

    def _read(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the interpreter that measures has ended"
        return line.strip()


def _table(measured: Measured) -> str:
    rows = []
    for case in CASES:
        checked, unchecked, peer = (measured[by][case] for by in ("with", "without", "peer"))
        costs = checked.less(unchecked)
        low, high = costs.quartiles
        rows.append(
            (
                case,
                f"{unchecked.median:.2f}",
                f"{checked.median:.2f}",
                f"{costs.median:+.2f}",
                f"{low:+.2f} to {high:+.2f}",
                "yes" if low > 0 else "no",
                f"{peer.median:.2f}",
                f"{peer.median / checked.median:.2f}",
            )
        )
    head = ("µs a turn", "without", "with", "costs", "half of the rounds", "told from noise")
    return table((*head, "SQLAlchemy", "ratio to with"), rows)


if __name__ == "__main__":
    main()
