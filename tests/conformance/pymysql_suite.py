"""PyMySQL's own tests, of what it has in common with MySQLdb.

PyMySQL is a driver beside mysqlclient, with the interface of MySQLdb and an
`install_as_MySQLdb()` of its own. So its tests run on MySQLdb under PyMySQL's name: on mysqlclient,
and on forksafe through its alias. Where PyMySQL goes its own way, they fail on both.

What PyMySQL puts on PyPI has none of them but `test_auth.py`, which is about four accounts of a
server set up by hand; what it asks for, `tests/test_auth.py` and `tests/test_auth_exchange.py` ask
here. The source package of Debian has them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from scripts.mariadb_server import Server
from tests.conformance import KEPT
from tests.conformance.drivers_suite import PYTEST, write_privately
from tests.conformance.sources import DebianSource
from tests.conformance.suite import INSIDE, OURS, Command, Plan, Suite

#: The tests run in a copy, for the file that says where the server is must lie among them. It is
#: their home directory too.
HOME = KEPT / "pymysql"
DATABASES = ("test_conformance_pymysql", "test_conformance_pymysql_other")

#: As PyMySQL's own CI makes it.
ED25519_PASSWORD = (
    "CREATE FUNCTION IF NOT EXISTS ed25519_password RETURNS STRING SONAME 'auth_ed25519.so'"
)

MODULE = "imports a module that PyMySQL alone has"
INTERNAL = "asks what is inside of PyMySQL: "
LISTS = "PyMySQL's fetchall() answers a list, mysqlclient's a tuple"
UNBUFFERED = "PyMySQL's cursors that stream have fetchall_unbuffered(), mysqlclient's have not"
LONE = "PyMySQL takes a lone parameter that is in no sequence, mysqlclient does not"
TEXT = "PyMySQL escapes to str, mysqlclient to bytes"
RECONNECTS = "PyMySQL opens a closed connection again, mysqlclient does not"
GONE = "a name of the MySQLdb of old, which mysqlclient has no longer"

BASIC = "test_basic.py::TestConversion::"
DICTS = "test_DictCursor.py::"
STREAMS = "test_SSCursor.py::TestSSCursor::"
CONNECTION = "test_connection.py::TestConnection::"
ESCAPE = "test_connection.py::TestEscape::"
ISSUES = "test_issues.py::TestGitHubIssues::"
THIRD = "thirdparty/test_MySQLdb/"
CAPABILITIES = THIRD + "test_MySQLdb_capabilities.py::test_MySQLdb::"
CORE = THIRD + "test_MySQLdb_nonstandard.py::CoreModule::"

EXCEPTIONS = {
    "test_charset.py": MODULE,
    "test_optionfile.py": MODULE,
    "test_err.py::test_raise_mysql_exception": INTERNAL + "how an exception is made of a packet",
    "test_connection.py::TestAuthentication::test_plugin": INTERNAL + "_auth_plugin_name",
    CONNECTION + "test_defer_connect": INTERNAL + "connections are opened on a socket of Python's",
    CONNECTION + "test_ssl_connect": INTERNAL + "it mocks what Python's ssl is asked to do",
    CONNECTION + "test_set_charset": (
        "PyMySQL has an older name for set_character_set(), mysqlclient has not"
    ),
    BASIC + "test_datatypes": "PyMySQL writes a struct_time as a DATETIME, mysqlclient does not",
    BASIC + "test_integer": LONE,
    BASIC + "test_string": LONE,
    "test_cursor.py::CursorTest::test_executemany": LONE,
    DICTS + "TestDictCursor::test_DictCursor": LISTS,
    DICTS + "TestDictCursor::test_custom_dict": LISTS,
    DICTS + "TestSSDictCursor::test_DictCursor": UNBUFFERED,
    DICTS + "TestSSDictCursor::test_custom_dict": UNBUFFERED,
    STREAMS + "test_execution_time_limit": LISTS,
    STREAMS + "test_SSCursor": (
        "while rows are unread PyMySQL's rowcount is 2**64 - 1, mysqlclient's is PEP 249's -1"
    ),
    "test_nextset.py::TestNextset::test_nextset_error": LISTS,
    ESCAPE + "test_escape_string": TEXT,
    ESCAPE + "test_escape_builtin_encoders": TEXT,
    ESCAPE + "test_escape_fallback_encoder": TEXT,
    ESCAPE + "test_escape_no_default": (
        "PyMySQL's escape() raises TypeError for what the mapping has not, mysqlclient's does not"
    ),
    ESCAPE + "test_escape_dict_raise_typeerror": (
        "PyMySQL's escape() raises TypeError for a dictionary, mysqlclient's does not"
    ),
    ESCAPE + "test_escape_list_item": (
        "PyMySQL's escape() uses the mapping for the items of a list too, mysqlclient's does not"
    ),
    ESCAPE + "test_commit_during_multi_result": (
        "PyMySQL's commit() throws away answers that nobody has read, mysqlclient's raises 2014"
    ),
    "test_converters.py::TestConverter::test_escape_string": TEXT,
    CAPABILITIES + "test_literal_int": TEXT,
    CAPABILITIES + "test_literal_float": TEXT,
    CAPABILITIES + "test_literal_string": TEXT,
    ISSUES + "test_issue_114": RECONNECTS,
    "test_load_local.py::TestLoadLocal::test_unbuffered_load_file": (
        RECONNECTS + "; the test does so to tidy up"
    ),
    CORE + "test_NULL": GONE,
    CORE + "test_thread_safe": GONE,
}


class PymysqlSuite(Suite):
    """`pymysql/tests/`, with MySQLdb in the place of `pymysql`."""

    name = "pymysql"
    source = "PyMySQL==1.1.1"
    debian = DebianSource("trixie", "python-pymysql")
    requirements = ("pytest",)
    #: 173, and two modules that cannot be imported.
    least = 175
    exceptions: ClassVar[Mapping[str, str]] = EXCEPTIONS

    def prepare(self, server: Server, plan: Plan) -> None:
        """Make the databases, empty, and what makes an account's password."""
        for name in DATABASES:
            server.execute_as_root(f"DROP DATABASE IF EXISTS {name}")
            server.execute_as_root(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        if getattr(server, "has_ed25519", False):
            server.execute_as_root(ED25519_PASSWORD)

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """pytest, with plugins that put MySQLdb in PyMySQL's place, and forksafe in MySQLdb's."""
        alias = ["-p", "forksafe_as_mysqldb"] if plan.driver == OURS else []
        return Command(
            [
                *PYTEST,
                *(*alias, "-p", "mysqldb_as_pymysql", "--continue-on-collection-errors"),
                *(plan.labels or ["."]),
            ],
            directory=self.lay_out(source, plan, server),
            variables={
                "PYTHONPATH": str(INSIDE),
                "HOME": str(HOME),
                "FORKSAFE_CONFORMANCE_OUTCOMES": str(outcomes),
            },
        )

    def lay_out(self, source: Path, plan: Plan, server: Server) -> Path:
        """Copy the tests, and nothing else of PyMySQL: where they are now."""
        shutil.rmtree(HOME, ignore_errors=True)
        tests = HOME / "pymysql" / "tests"
        shutil.copytree(source / "pymysql" / "tests", tests)
        write_privately(tests / "databases.json", json.dumps(self.databases(plan, server)))
        # Some tests name this file, and forksafe wants to find a file that is named.
        (HOME / ".my.cnf").touch()
        return tests

    def databases(self, plan: Plan, server: Server) -> list[dict[str, object]]:
        """As the tests want them: keywords of connect."""
        if plan.driver == OURS:
            found = server.connect_kwargs(plan.transport)
        else:
            found = server.connect_kwargs("tcp")
            found.pop("ssl_mode", None)
        first, second = ({**found, "database": name} for name in DATABASES)
        return [{**first, "use_unicode": True, "local_infile": True}, second]
