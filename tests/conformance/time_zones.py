"""The server's tables of time zones, without which CONVERT_TZ answers NULL."""

from __future__ import annotations

import shutil
import subprocess

from scripts.mariadb_server import Server

CONVERSION = "SELECT CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'Europe/Paris')"
ZONES = "/usr/share/zoneinfo"
#: How lines begin that look after clusters and locks, in words that MySQL does not know.
CLUSTER = ("set @wsrep", "set @old", "set session", "set statement", "execute immediate", "unlock")
LOADERS = ("mariadb-tzinfo-to-sql", "mysql_tzinfo_to_sql")


def load_time_zones(server: Server) -> None:
    """Fill them, where they are empty, from those of this machine.

    Where that cannot be done, say so: tests of conversions then fail on every driver.
    """
    if server.execute_as_root(CONVERSION) != [(None,)]:
        return
    loader = next(filter(None, map(shutil.which, LOADERS)), None)
    if loader is None:
        print("the server has no time zones, and there is no mariadb-tzinfo-to-sql to load them")
        return
    zones = subprocess.run([loader, ZONES], capture_output=True, text=True).stdout
    statements = [line for line in zones.splitlines() if not line.lower().startswith(CLUSTER)]
    server.execute_as_root("USE mysql;\n" + "\n".join(statements))
