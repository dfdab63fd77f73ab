"""The backend beside an installed MySQLdb: it neither imports nor replaces it."""

import os
import sys
from importlib.abc import MetaPathFinder


class Trap(MetaPathFinder):
    """Fails the program when anything looks for MySQLdb."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        """Refuse MySQLdb and whatever is in it."""
        if name.partition(".")[0] == "MySQLdb":
            raise SystemExit("MySQLdb was looked for")


sys.meta_path.insert(0, Trap())

from tests.djangosite.settings import configure, databases
from tests.given_server import GivenServer

configure(databases(GivenServer(os.environ["FORKSAFE_TEST_URL"])))

from django.core.management import call_command
from django.db import connection

with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
    connection.introspection.table_names(cursor)
call_command("check", databases=["default"])
assert "MySQLdb" not in sys.modules
