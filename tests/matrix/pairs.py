"""A small selection of cells in which every two values of two axes meet.

Thirty lines of our own, for they are simpler than a package: the two largest axes alone force as
many cells as there are pairs of them, so it is enough to choose the rest well for each of these.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.matrix.cells import Cell

Pair = tuple[tuple[int, str], tuple[int, str]]


def pairs_of(cell: Cell) -> set[Pair]:
    """The pairs of values that meet in a cell; a value is an axis and a name."""
    return set(itertools.combinations(enumerate(cell.values), 2))


def select(cells: Iterable[Cell]) -> list[Cell]:
    """Cells that hold every pair that any of `cells` holds; the rest of them evenly spread."""
    by_state_and_act: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        by_state_and_act[cell.values[:2]].append(cell)
    missing = set().union(
        *(pairs_of(cell) for group in by_state_and_act.values() for cell in group)
    )
    used: Counter[str] = Counter()
    selected = []

    def worth(cell: Cell) -> tuple[int, int]:
        return len(pairs_of(cell) & missing), -sum(used[value] for value in cell.values)

    # Once round is one cell of each; what is then missing is rare, and found in a further round.
    while missing:
        for group in by_state_and_act.values():
            best = max(group, key=worth)
            if pairs_of(best) & missing:
                selected.append(best)
                missing -= pairs_of(best)
                used.update(best.values)
    return selected
