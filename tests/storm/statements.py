"""Statements whose answers tell whose they are."""

from __future__ import annotations

import random
from typing import Any

from tests.storm.counts import Counts

ROWS = "storm_rows"  # where children commit rows
PINNED = "storm_pinned"  # where the parent's long transactions write


def check(connection: Any, token: str, rng: random.Random, counts: Counts, who: str) -> None:
    """Ask something that only the asker can know, in an answer of a random size."""
    rows, width = rng.choice(((1, 1), (1, 1), (1, 3000), (40, 20)))
    padding = "x" * width
    sql = " UNION ALL ".join(["SELECT %s, %s, REPEAT('x', %s)"] * rows)
    arguments = [value for row in range(rows) for value in (token, row, width)]
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        answer = cursor.fetchall()
    counts[who] += 1
    if tuple(answer) != tuple((token, row, padding) for row in range(rows)):
        counts.note("wrong", f"asked for {token} in {rows} rows, got {str(answer)[:200]}")


def provoked(error: BaseException, numbers: tuple[int, ...], counts: Counts, who: str) -> None:
    """Count an error: by its number where it was to be expected, else with a note."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number in numbers:
        counts[f"error: {number}, provoked"] += 1
    else:
        counts.note("unexpected", f"in {who}: {type(error).__name__}: {error}"[:600])
