"""What a benchmark is asked on its command line, and where its results go.

The last ones are kept in README.md between two comments that name the benchmark.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

README = Path(__file__).parent / "README.md"


def arguments(program: str, rounds: int) -> argparse.Namespace:
    """`rounds`, unless the command line says another number, and whether to `record`."""
    parser = argparse.ArgumentParser(prog=f"python -m benches.{program}")
    parser.add_argument(
        "--rounds", type=int, default=rounds, help="of each that is compared (default: %(default)s)"
    )
    parser.add_argument("--record", action="store_true", help="put the results in README.md")
    asked = parser.parse_args()
    if asked.rounds < 2:
        parser.error("--rounds must be 2 or more: one measurement has no spread")
    return asked


def publish(name: str, text: str, asked: argparse.Namespace) -> None:
    """Print `text`, and record it where that was asked for."""
    print(text)
    if asked.record:
        _record(name, text)


def _record(name: str, text: str) -> None:
    """Put `text` in the place of the last results of the benchmark `name`."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = README.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(old):
        raise ValueError(f"README.md has no place for the results of {name!r}")
    README.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", old))
