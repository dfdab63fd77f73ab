"""Which driver a column measures."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A driver as `site/settings.py` names it, its import name, the setting it runs with."""

    driver: str
    module: str
    setting: str

    def is_installed(self) -> bool:
        """Whether it can be imported: a package may be there and its C library not."""
        try:
            return bool(importlib.import_module(self.module) and self.title)
        except ImportError:
            return False

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.driver} {importlib.metadata.version(self.driver)}"


FORKSAFE = Column("forksafe", "forksafe", 'OPTIONS["pool"]')
USUAL = (
    Column("mysqlclient", "MySQLdb", "CONN_MAX_AGE=60"),
    Column("pymysql", "pymysql", "CONN_MAX_AGE=60"),
)
