"""mysqlclient's own tests, and those of PEP 249."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from scripts.mariadb_server import Server
from tests.conformance import KEPT
from tests.conformance.suite import INSIDE, OURS, Command, Plan, Suite

OPTION_FILE = KEPT / "mysqlclient.cnf"
GROUP = "MySQLdb-tests"

#: With a configuration of its own: else pytest takes that of this repository, around the sources.
PYTEST = (
    # A long traceback shows arguments, and with them the password.
    *("-m", "pytest", "-q", "--tb=short", "-p", "pytest_recorder", "-p", "no:cacheprovider"),
    *("-c", str(INSIDE / "drivers.ini"), "--rootdir", "."),
)

INTERNAL = "asks the cursor's private methods, on an object that is no connection"


class MysqlclientSuite(Suite):
    """`tests/` of mysqlclient's source distribution, through `forksafe.install_as_MySQLdb()`."""

    name = "mysqlclient"
    source = "mysqlclient==2.3.1"
    requirements = ("pytest", "SQLAlchemy==2.1.9")
    least = 161
    exceptions: ClassVar[dict[str, str]] = {
        "test_cursor.py::test_executemany_multi_streams_arguments": INTERNAL,
    }

    def prepare(self, server: Server, plan: Plan) -> None:
        """Write the option file that says where the server is."""
        place = self.place(plan, server).items()
        lines = [f"[{GROUP}]", *(f"{name}={_quoted(value)}" for name, value in place)]
        write_privately(OPTION_FILE, "\n".join(lines) + "\n")

    def place(self, plan: Plan, server: Server) -> dict[str, object]:
        """As an option file has it."""
        found = server.connect_kwargs("socket" if plan.transport == "socket" else "tcp")
        names = {"unix_socket": "socket"}
        wanted = ("host", "port", "unix_socket", "user", "password", "database")
        return {names.get(name, name): found[name] for name in wanted if name in found}

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """pytest, with a plugin that puts forksafe in MySQLdb's place."""
        alias = ["-p", "forksafe_as_mysqldb"] if plan.driver == OURS else []
        return Command(
            [*PYTEST, *alias, *(plan.labels or ["."])],
            directory=source / "tests",
            variables={
                "PYTHONPATH": str(INSIDE),
                "FORKSAFE_CONFORMANCE_OUTCOMES": str(outcomes),
                "TESTDB": str(OPTION_FILE),
            },
        )


def write_privately(path: Path, text: str) -> None:
    """Write a file that has a password in it: nobody else may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _quoted(value: object) -> str:
    """As an option file wants it: outside quotes a `#` begins a comment, and spaces are lost."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


class DbapiSuite(Suite):
    """The tests of PEP 249 that `dbapi-compliance` has, on the plain module."""

    name = "dbapi-compliance"
    source = "dbapi-compliance==1.15.0"
    requirements = ("pytest",)
    least = 36

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """A class of ours says which driver it is, and what the suite leaves to drivers."""
        found = server.connect_kwargs("tcp" if plan.driver != OURS else plan.transport)
        if plan.driver != OURS:
            found.pop("ssl_mode", None)
        return Command(
            [*PYTEST, str(INSIDE / "dbapi_compliance.py")],
            directory=source,
            variables={
                "PYTHONPATH": os.pathsep.join([str(INSIDE), str(source)]),
                "FORKSAFE_CONFORMANCE_OUTCOMES": str(outcomes),
                "FORKSAFE_CONFORMANCE_DRIVER": "forksafe" if plan.driver == OURS else "MySQLdb",
                "FORKSAFE_CONFORMANCE_CONNECT": repr(found),
            },
        )
