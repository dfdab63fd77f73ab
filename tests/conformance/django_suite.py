"""Django's own tests, and those of its GeoDjango."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from scripts.mariadb_server import Server
from tests.conformance.suite import INSIDE, OURS, Command, Plan, Suite
from tests.conformance.time_zones import load_time_zones

#: What touches a database most: about 4,500 of 18,200 tests.
CORE = (
    *("backends", "basic", "queries", "transactions", "transaction_hooks", "model_fields"),
    *("introspection", "schema", "migrations", "bulk_create", "get_or_create", "update"),
    *("expressions", "aggregation", "annotations", "db_functions", "lookup", "delete"),
    *("inspectdb", "test_utils", "select_for_update", "serializers", "timezones", "datatypes"),
    *("custom_columns", "constraints", "indexes", "fixtures", "raw_query", "m2m_through"),
)

TIMED = "it has seconds to be quick in, and on a busy machine it is not, whatever the driver"
IMPORTS_MYSQLDB = "it imports MySQLdb itself; passes where mysqlclient is installed beside"

ENGINES = {OURS: "forksafe.django", "mysqlclient": "django.db.backends.mysql"}
GIS_ENGINES = {OURS: "forksafe.django.gis", "mysqlclient": "django.contrib.gis.db.backends.mysql"}


class DjangoSuite(Suite):
    """`tests/runtests.py` of Django's source distribution, with two databases."""

    name = "django"
    source = "Django==5.2.19"
    requirements = (
        source,
        *("tblib", "jinja2", "PyYAML", "Pillow", "docutils", "argon2-cffi", "bcrypt", "tzdata"),
        *("aiosmtpd", "pymemcache", "redis", "selenium", "geoip2", "numpy"),
    )
    has_pool = True
    limit = 7200
    least = 17_000
    least_core: ClassVar[int | None] = 4_000
    engines: ClassVar[Mapping[str, str]] = ENGINES
    core: ClassVar[tuple[str, ...]] = CORE
    exceptions: ClassVar[Mapping[str, str]] = {
        "serializers.test_deserialization.TestDeserializer.test_crafted_xml_performance": TIMED,
        "backends.mysql.test_schema.SchemaEditorTests.test_quote_value": IMPORTS_MYSQLDB,
    }
    pooled_exceptions: ClassVar[Mapping[str, str]] = {
        "backends.mysql.tests.IsolationLevelTests.test_auto_is_null_auto_config": (
            "it looks at the last statement that setting up a connection has cost. There is none:"
            " the pool has set the isolation level once, when it opened the connection"
        ),
    }
    #: No labels: all.
    whole: ClassVar[tuple[str, ...]] = ()

    def prepare(self, server: Server, plan: Plan) -> None:
        """Let the server know time zones by name."""
        load_time_zones(server)

    def command(self, plan: Plan, server: Server, source: Path, outcomes: Path) -> Command:
        """`runtests.py`, by way of the recorder."""
        labels = plan.labels or (self.core if plan.core else self.whole)
        recorder = [str(INSIDE / "recorder.py"), str(outcomes)]
        options = ["--settings=django_settings", "--noinput", f"--parallel={plan.jobs}"]
        return Command(
            [*recorder, "runtests.py", *options, *labels],
            directory=source / "tests",
            variables={
                "PYTHONPATH": str(INSIDE),
                "FORKSAFE_CONFORMANCE_DATABASES": json.dumps(self.databases(plan, server)),
            },
        )

    def databases(self, plan: Plan, server: Server) -> dict[str, dict[str, Any]]:
        """DATABASES; Django puts "test_" before the names, so that no other data is in danger."""
        found = server.connect_kwargs(plan.transport)
        account = {"USER": found.pop("user"), "PASSWORD": found.pop("password")}
        host = found.pop("unix_socket", None) or found.pop("host")
        place = {"HOST": host, "PORT": str(found.pop("port", ""))}
        found.pop("database")
        options = {**found, "pool": True} if plan.pool else found
        if plan.driver != OURS:
            options = {"ssl": {"ca": server.ca_file}} if plan.transport == "tls" else {}
        common = {"ENGINE": self.engines[plan.driver], **account, **place, "OPTIONS": options}
        names = {"default": "conformance", "other": "conformance_other"}
        return {alias: {**common, "NAME": name} for alias, name in names.items()}


class Django6Suite(DjangoSuite):
    """The same of the newest Django."""

    name = "django-6"
    source = "Django==6.1.3"
    requirements = (source, *DjangoSuite.requirements[1:])
    since = (3, 12)


class DjangoGisSuite(DjangoSuite):
    """The tests of django.contrib.gis; they need the libraries GEOS and GDAL."""

    name = "django-gis"
    least = 500
    least_core = None
    engines = GIS_ENGINES
    exceptions: ClassVar[Mapping[str, str]] = {}
    pooled_exceptions: ClassVar[Mapping[str, str]] = {}
    whole = core = ("gis_tests",)
