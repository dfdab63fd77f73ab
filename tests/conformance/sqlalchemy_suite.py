"""SQLAlchemy's own tests, and those that it has for the dialects of third parties."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

from scripts.mariadb_server import Server
from tests.conformance.suite import INSIDE, OURS, Command, Plan, Suite

#: What the suites expect to find. They drop what is in them.
DATABASES = ("test", "test_schema", "test_schema_2")

#: The servers of users on which these were empty before our first run: what a later run of this
#: process finds in them is the suite's.
EMPTY_AT_FIRST: WeakSet[Server] = WeakSet()

#: What is about MySQL; a minute or two.
CORE = ("test/dialect/mysql", "test/dialect/test_all.py", "test/dialect/test_suite.py")

#: How a class of tests is named once for each database: `…_mariadb+forksafe_10_11_19::…`.
DATABASE_IN_NAME = r"_(mysql|mariadb)\+[a-z]+(_[0-9]+)*(?=::)"

CURSOR = (
    "asks by the driver's name whether a cursor streams, and knows only SQLAlchemy's own drivers"
)
NAMED = "runs only for drivers with the name of mysqlclient"
ELSEWHERE = "; passes in sqlalchemy-as-mysqldb"
POOLED = (
    "with a pool: it looks at the connection that SQLAlchemy's pool keeps. That one keeps none"
    " (NullPool): forksafe's does"
)
IN_BOTH = "; passes in sqlalchemy-as-mysqldb and in sqlalchemy-dialect"

STREAMING = "test/dialect/test_suite.py::ServerSideCursorsTest::"
DIALECT = "test/dialect/mysql/test_dialect.py::DialectTest::"
RECIPE = "test/engine/test_reconnect.py::ReconnectRecipeTest::"


def _refuse_tables(server: Server) -> None:
    """Raise RuntimeError where the suite would drop what is not its own."""
    names = ", ".join(f"'{name}'" for name in DATABASES)
    counted = server.execute_as_root(
        "SELECT TABLE_SCHEMA, COUNT(*) FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA IN ({names}) GROUP BY TABLE_SCHEMA"
    )
    if counted:
        held = ", ".join(f"{name} ({count})" for name, count in counted)
        raise RuntimeError(
            f"SQLAlchemy's suite drops all tables of the databases {names}, and there are tables"
            f" in {held}: drop these databases if nobody needs them (a run that was cut short"
            " leaves tables too), or give another server"
        )


class SqlalchemySuite(Suite):
    """`test/` of SQLAlchemy's source distribution, on `mysql+forksafe`.

    With a pool, every connection of the suite is one of forksafe's pool. The requirements are
    SQLAlchemy's own, told that forksafe does what mysqlclient does where they ask by name.
    """

    name = "sqlalchemy"
    source = "SQLAlchemy==2.1.9"
    requirements = (source, "pytest", "greenlet")
    limit = 7200
    least = 20_000
    least_core: ClassVar[int | None] = 2_000
    has_pool = True
    exceptions: ClassVar[Mapping[str, str]] = {
        STREAMING + "test_conn_option": CURSOR + IN_BOTH,
        STREAMING + "test_ss_cursor_status*": CURSOR + IN_BOTH,
        DIALECT + "test_random_arg": NAMED + ELSEWHERE,
        DIALECT + "test_special_encodings*": NAMED + ELSEWHERE,
        "test/sql/test_lambdas.py::ConcurrencyTest::test_lambda_concurrency": NAMED + ELSEWHERE,
        RECIPE + "*": NAMED + ELSEWHERE,
        "test/engine/test_execute.py::HandleErrorTest::test_alter_invalidate_pool_to_false": POOLED,
        "test/engine/test_reconnect.py::RealPrePingEventHandlerTest::*": POOLED,
        "test/engine/test_transaction.py::TransactionTest"
        "::test_reset_rollback_two_phase_no_rollback": POOLED,
    }
    core: ClassVar[tuple[str, ...]] = CORE
    whole: ClassVar[tuple[str, ...]] = (*CORE, "test/engine", "test/sql", "test/orm")
    #: The driver under test, in a URL.
    driver = "forksafe"
    plugins: ClassVar[tuple[str, ...]] = ()

    def prepare(self, server: Server, plan: Plan) -> None:
        """Make the databases; on a server of the user's they must be empty."""
        if not server.controllable and server not in EMPTY_AT_FIRST:
            _refuse_tables(server)
            EMPTY_AT_FIRST.add(server)
        for name in DATABASES:
            server.execute_as_root(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """pytest, with the recorder."""
        ours = plan.driver == OURS
        options = ["--dburi=" + self.url(plan, server), "--dropfirst", "--maxfail=100000"]
        if ours:
            options += self.ours(plan)
        return Command(
            # Without the user's site, SQLAlchemy's conftest tests the package that is installed.
            [
                *("-s", "-m", "pytest", "-p", "pytest_recorder", "-p", "no:cacheprovider"),
                *("-q", "--tb=short", *options),
                *(plan.labels or (self.core if plan.core else self.whole)),
            ],
            directory=self.directory(source),
            variables={
                "PYTHONPATH": str(INSIDE),
                "PYTHONDONTWRITEBYTECODE": "1",
                "FORKSAFE_CONFORMANCE_OUTCOMES": str(outcomes),
                "FORKSAFE_CONFORMANCE_LEFT_OUT": DATABASE_IN_NAME,
            },
        )

    def ours(self, plan: Plan) -> list[str]:
        """The options of pytest for a run on forksafe."""
        pooled = ["-p", "sqlalchemy_pooled"] if plan.pool else []
        return [*pooled, "-p", "sqlalchemy_requirements"]

    def directory(self, source: Path) -> Path:
        """Where pytest runs."""
        return source

    def url(self, plan: Plan, server: Server) -> str:
        """As SQLAlchemy writes it; each driver has its own words for TLS."""
        options = {"database": DATABASES[0], "charset": "utf8mb4"}
        if plan.driver == OURS:
            return server.url(plan.transport, scheme=f"mysql+{self.driver}", **options)
        options["get_server_public_key"] = None  # its C library asks by itself
        if plan.transport != "tls":
            options["ssl_mode"] = "DISABLED"
        return server.url(plan.transport, scheme="mysql+mysqldb", **options)


class SqlalchemyAsMysqldbSuite(SqlalchemySuite):
    """The same on `forksafe.install_as_MySQLdb()`, with SQLAlchemy's dialect of mysqlclient."""

    name = "sqlalchemy-as-mysqldb"
    has_pool = False
    has_mysqlclient = False
    beside = SqlalchemySuite.name
    exceptions: ClassVar[Mapping[str, str]] = {}
    driver = "mysqldb"

    def ours(self, plan: Plan) -> list[str]:
        """A plugin puts forksafe in the place of MySQLdb."""
        return ["-p", "sqlalchemy_as_mysqldb"]


class SqlalchemyDialectSuite(SqlalchemySuite):
    """`sqlalchemy.testing.suite`, with requirements of our own, as a third party runs it."""

    name = "sqlalchemy-dialect"
    has_pool = False
    has_mysqlclient = False
    core = whole = ("dialect_suite.py",)
    least = least_core = 1_500

    def ours(self, plan: Plan) -> list[str]:
        """Nothing: it is all in the directory."""
        return []

    def directory(self, source: Path) -> Path:
        """Of requirements, plugin and tests."""
        return INSIDE / "sqlalchemy_dialect"
