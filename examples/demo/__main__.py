"""`python -m examples.demo`: measure the usual driver, then forksafe, and compare.

Exit status: 0 if forksafe's column is clean, 1 if it is not, 2 if something that the demo needs is
missing.
"""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from examples.demo import pace
from examples.demo.column import FORKSAFE, USUAL
from examples.demo.scenario import CannotPrepare, play
from examples.demo.table import Measured, render, render_examples


def main() -> int:
    """Play the columns that were asked for; the exit status."""
    asked = _arguments()
    # As Ctrl-C does: unwind, so that every process that was started is ended.
    signal.signal(signal.SIGTERM, _leave)
    print(
        f"A Django site under gunicorn --preload, {pace.CLIENTS} clients, MariaDB with"
        f" wait_timeout={pace.WAIT_TIMEOUT}: {' then '.join(phase.title for phase in pace.PHASES)}."
    )
    measured: Measured = []
    if asked.only != "forksafe":
        measured += _play_usual(asked.usual)
    if asked.only != "usual":
        measured += _play_forksafe()
    print(f"\n{render(measured)}\n")
    return _verdict(measured)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.demo", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--only", choices=("usual", "forksafe"), help="measure one column")
    parser.add_argument(
        "--usual",
        choices=[column.driver for column in USUAL],
        help="the usual driver (default: mysqlclient where it works, else PyMySQL)",
    )
    return parser.parse_args()


def _play_usual(driver: str | None) -> Measured:
    for column in USUAL:
        if driver in (None, column.driver) and column.is_installed():
            try:
                return [(column, play(column))]
            except CannotPrepare as reason:
                print(f"\n{column.title} cannot be used here: {str(reason).splitlines()[-1]}")
    print("No usual driver to compare with: neither mysqlclient nor PyMySQL works here.")
    return []


def _play_forksafe() -> Measured:
    if not FORKSAFE.is_installed():
        _give_up("forksafe is not built: run `make demo`, which builds it first")
    try:
        return [(FORKSAFE, play(FORKSAFE))]
    except CannotPrepare as reason:
        sys.exit(f"\nforksafe FAILED: Django cannot migrate an empty database\n{reason}")


def _verdict(measured: Measured) -> int:
    for column, tally in measured:
        if column is FORKSAFE and (complaints := tally.complaints(pace.PLANNED)):
            print(
                f"{column.title} FAILED", *complaints, render_examples(tally), tally.log, sep="\n"
            )
            return 1
    return 0


def _give_up(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(2)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
