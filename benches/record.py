"""The last results, kept in README.md between two comments that name the benchmark."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent / "README.md"


def record(name: str, text: str) -> None:
    """Put `text` in the place of the last results of the benchmark `name`."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = README.read_text()
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(old):
        raise ValueError(f"README.md has no place for the results of {name!r}")
    README.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", old))
