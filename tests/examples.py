"""How many examples a property is tried with: `pytest --examples`."""

from __future__ import annotations

ORDINARY = 50
count = ORDINARY
