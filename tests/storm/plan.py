"""What a storm is told to do."""

from __future__ import annotations

import dataclasses
import json

VARIANTS = {
    "busy": "eight threads use the pools, reconnect, time out, while the parent forks",
    "idle-tls": "nobody uses the pool, whose sessions are encrypted",
    "grandchild": "busy, and the parent is itself a forked child",
}
DRIVERS = ("forksafe", "sharing")


@dataclasses.dataclass(frozen=True)
class Plan:
    """Every random choice comes from `seed`, which is printed."""

    forks: int
    seed: int
    variant: str = "busy"
    driver: str = "forksafe"  # "sharing" is one that must fail: see sharing.py
    child_timeout: float = 30.0  # seconds; a child that needs longer hangs
    at_once: int = 4  # children alive at a time
    # MiB that the parent may grow by: its threads settle by 2, and 20,000 forks of 200 bytes are 4.
    memory_bound: int = 6

    def seed_of(self, what: str) -> str:
        """For one of many independent rows of random choices."""
        return f"{self.seed} {self.variant} {what}"

    @property
    def busy(self) -> bool:
        """Whether threads use the pools while the parent forks."""
        return self.variant != "idle-tls"

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan that `to_json` wrote."""
        return cls(**json.loads(text))
