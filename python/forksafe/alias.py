"""forksafe under the name MySQLdb, for programs and libraries that import it by that name."""

from __future__ import annotations

import importlib
import sys

#: Where what MySQLdb has below itself is found.
_SUBMODULES = {
    "_exceptions": "forksafe.mysqldb._exceptions",
    "_mysql": "forksafe.mysqldb._mysql",
    "connections": "forksafe.mysqldb.connections",
    "cursors": "forksafe.mysqldb.cursors",
    "release": "forksafe.mysqldb.release",
    "converters": "forksafe.converters",
    "times": "forksafe.times",
    "constants": "forksafe.constants",
    "constants.CLIENT": "forksafe.constants.CLIENT",
    "constants.CR": "forksafe.constants.CR",
    "constants.ER": "forksafe.constants.ER",
    "constants.FIELD_TYPE": "forksafe.constants.FIELD_TYPE",
    "constants.FLAG": "forksafe.constants.FLAG",
}


def install_as_MySQLdb() -> None:
    """Let `import MySQLdb`, and whatever is imported below it, find forksafe.

    Call it before anything imports MySQLdb: first thing in `manage.py`, `wsgi.py`, or the module
    that makes the engine. Safe to repeat. An installed mysqlclient stays where it is, unused.

    Raises RuntimeError when another MySQLdb has been imported already: its names are in use by
    then, and a program that had both would catch the exceptions of neither reliably.

    PyMySQL has a function of the same name.
    """
    package = importlib.import_module("forksafe.mysqldb")
    there = sys.modules.get("MySQLdb")
    if there is not None and there is not package:
        where = getattr(there, "__file__", None) or "another package"
        raise RuntimeError(
            f"MySQLdb has been imported already, from {where}; call "
            "forksafe.install_as_MySQLdb() before whatever imports it"
        )
    for name, ours in _SUBMODULES.items():
        module = importlib.import_module(ours)
        # SQLAlchemy looks below the name that its driver gives itself, too.
        for parent in ("MySQLdb", package.__name__):
            sys.modules[f"{parent}.{name}"] = module
    # Last: another thread that finds it finds it whole.
    sys.modules["MySQLdb"] = package
