"""Figures of many rounds, told by their median and by how far apart they lie."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


class Figures:
    """Measurements of one thing, in one unit."""

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.values = list(values)

    def add(self, value: float) -> None:
        """One more round."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """Half of the rounds were below."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """A quarter of the rounds were below the first, a quarter above the second."""
        low, _, high = statistics.quantiles(self.values, n=4)
        return low, high

    @property
    def p95(self) -> float:
        """One round of twenty was above."""
        return statistics.quantiles(self.values, n=20)[-1]

    def less(self, other: Figures) -> Figures:
        """Round by round: what drifts with the machine drifts in both."""
        return Figures(a - b for a, b in zip(self.values, other.values, strict=True))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that is also readable at a terminal: the first column left, others right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |"
        for line in (lines[0], rule, *lines[1:])
    )
