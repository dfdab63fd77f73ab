"""`manage.py test --parallel 2` on the server of FORKSAFE_TEST_URL; argv: JSON of OPTIONS."""

import json
import os
import sys

from tests.djangosite.settings import configure, database
from tests.given_server import GivenServer

server = GivenServer(os.environ["FORKSAFE_TEST_URL"])
configure({"default": database(server, OPTIONS=json.loads(sys.argv[1]))})

from django.core.management import execute_from_command_line
from django.db import connection

# Connected before the workers are forked, so that they inherit something.
connection.ensure_connection()
execute_from_command_line(
    ["manage.py", "test", "tests.djangosite.library", "--parallel", "2", "--noinput"]
)
