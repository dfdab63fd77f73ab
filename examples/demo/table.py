"""The table at the end: what was measured, side by side."""

from __future__ import annotations

from collections.abc import Callable

from examples.demo import pace
from examples.demo.column import Column
from examples.demo.tally import HTTP, HUNG, RIGHT, WRONG, Tally

Measured = list[tuple[Column, Tally]]

ROWS: tuple[tuple[str, Callable[[Tally], str]], ...] = (
    ("requests", lambda t: _number(t.asked)),
    ("right answers", lambda t: _number(t.outcomes[RIGHT])),
    ("WRONG answers (another request's data)", lambda t: _number(t.outcomes[WRONG])),
    ("error 2006 (gone away)", lambda t: _number(t.outcomes["2006"])),
    ("error 2013 (lost connection)", lambda t: _number(t.outcomes["2013"])),
    ("error 2014 (out of sync)", lambda t: _number(t.outcomes["2014"])),
    ("InterfaceError", lambda t: _number(t.outcomes["InterfaceError"])),
    ("other errors", lambda t: _number(t.outcomes["other"])),
    ("HTTP failures", lambda t: _number(t.outcomes[HTTP])),
    (f"hung requests (no answer in {pace.PATIENCE:.0f} s)", lambda t: _number(t.outcomes[HUNG])),
    (
        "answers over the master's own sessions",
        lambda t: _number(t.answers_over_the_masters_sessions),
    ),
    ("rows lost of the master's transactions", lambda t: f"{t.rows_lost} of {t.rows_written}"),
    ("what the master's commits reported", lambda t: t.commits),
    ("background jobs failed", lambda t: f"{t.jobs_failed} of {t.jobs}"),
    ("sessions opened at the server", lambda t: _number(t.sessions_opened)),
    (
        "connections inherited and discarded",
        lambda t: "-" if t.inherited is None else _number(t.inherited),
    ),
    ("worker processes that answered", lambda t: _number(len(t.workers))),
    ("seconds", lambda t: f"{t.seconds:.0f}"),
)


def render(measured: Measured) -> str:
    """All rows, one column for each driver."""
    head = [
        ("", [column.title for column, _ in measured]),
        ("", [column.setting for column, _ in measured]),
    ]
    body = [(label, [value(tally) for _, tally in measured]) for label, value in ROWS]
    wide = max(len(label) for label, _ in body)
    widths = [max(len(cells[n]) for _, cells in head + body) for n in range(len(measured))]
    rule = "─" * (wide + sum(width + 3 for width in widths))
    lines = [_line(label, cells, wide, widths) for label, cells in head + body]
    return "\n".join([*lines[: len(head)], rule, *lines[len(head) :]])


def render_examples(tally: Tally) -> str:
    """The first example of each outcome but the right one, and what the site reported as failed."""
    answers = [(outcome, text) for outcome, text in tally.examples.items() if outcome != RIGHT]
    facts = [(fact["kind"], fact["text"]) for fact in tally.facts if "error" in fact]
    return "\n".join(f"  {what}: {text}" for what, text in dict.fromkeys([*answers, *facts]))


def _line(label: str, cells: list[str], wide: int, widths: list[int]) -> str:
    return label.ljust(wide) + "".join(
        f"   {cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
    )


def _number(n: int) -> str:
    return f"{n:,}"
