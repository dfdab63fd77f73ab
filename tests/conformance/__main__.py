"""`python -m tests.conformance --suite django …`: run suites, compare, record.

Exits 1 when a test fails or does not run on forksafe that passes on mysqlclient, and no exception
names it; when a run is cut short; and when the one on mysqlclient is no measure. A suite whose
source this machine cannot have is left out, and the reason is printed. Without --server or
FORKSAFE_TEST_DSN, against a throwaway server.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.mariadb_server import Server
from scripts.servers import INSTALLED, NAMES, NotToBeHadError, throwaway
from tests.conformance.django_suite import Django6Suite, DjangoGisSuite, DjangoSuite
from tests.conformance.drivers_suite import DbapiSuite, MysqlclientSuite
from tests.conformance.environment import version_of
from tests.conformance.outcome import Outcome, compare, unexplained
from tests.conformance.pymysql_suite import PymysqlSuite
from tests.conformance.report import record
from tests.conformance.run import log_of, run, saved
from tests.conformance.sqlalchemy_suite import (
    SqlalchemyAsMysqldbSuite,
    SqlalchemyDialectSuite,
    SqlalchemySuite,
)
from tests.conformance.suite import OURS, THEIRS, Plan, Suite
from tests.given_server import GivenServer

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        DjangoSuite(),
        Django6Suite(),
        DjangoGisSuite(),
        SqlalchemySuite(),
        SqlalchemyAsMysqldbSuite(),
        SqlalchemyDialectSuite(),
        MysqlclientSuite(),
        PymysqlSuite(),
        DbapiSuite(),
    )
}

#: For suites that make hundreds of tables, and send rows of some megabytes. MySQL and MariaDB have
#: different names for the size of the log, and pass over those they do not know.
SERVER_OPTIONS = (
    "--innodb-buffer-pool-size=256M",
    "--loose-innodb-log-file-size=64M",
    "--loose-innodb-redo-log-capacity=128M",
    "--table-open-cache=4000",
    "--max-allowed-packet=64M",
)


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _options(arguments)
    try:
        with _server(options.server) as server:
            tried = {plan: _run(plan, server, options.record) for plan in _plans(options)}
    except NotToBeHadError as reason:
        print(reason)
        return 0
    outcomes = {plan: outcome for plan, outcome in tried.items() if outcome}
    judged = [_judge(plan, ours) for plan, ours in outcomes.items() if plan.driver == OURS]
    return int(not all(judged) or not all(outcome.finished for outcome in outcomes.values()))


def _run(plan: Plan, server: Server, recording: bool) -> Outcome | None:
    """None where the machine cannot have what it takes."""
    print(f"{plan.key}: running; its output goes to {log_of(plan)}", flush=True)
    try:
        outcome = run(SUITES[plan.suite], plan, server)
    except NotToBeHadError as reason:
        print(f"{plan.key}: not run: {reason}", flush=True)
        return None
    print(f"{plan.key}: {outcome.summary()}", flush=True)
    if recording and not outcome.finished:
        print(f"{plan.key}: cut short, and so not recorded", flush=True)
    elif recording:
        record(outcome, {name: suite.all_exceptions() for name, suite in SUITES.items()})
    return outcome


def _judge(plan: Plan, ours: Outcome) -> bool:
    """Print how a run on forksafe compares with the last one on mysqlclient; whether it is well."""
    theirs = _theirs(plan, ours)
    print(f"\n{plan.key} beside {_named(theirs)}:")
    if theirs and not theirs.measures():
        print("  that run is no measure: it was cut short, or most of its tests failed")
        return False
    found = compare(ours, theirs)
    known = SUITES[plan.suite].known(plan)
    worse = unexplained({**found.worse, **found.not_run}, known)
    _print("worse, and no exception", worse)
    _print("worse, an exception", {**found.worse, **found.not_run}.keys() - worse.keys())
    _print("fails on both", found.both)
    _print("better", found.better)
    return not worse and ours.finished


def _theirs(plan: Plan, ours: Outcome) -> Outcome | None:
    """The run on mysqlclient to compare with, unless it is of other versions."""
    beside = saved(_beside(plan))
    if not beside.exists():
        return None
    theirs = Outcome.load(beside)
    if others := ours.differing(theirs):
        said = ", ".join(f"{fact} {value}" for fact, value in others.items())
        print(f"\n{plan.key}: not compared with {_named(theirs)}, which has {said}")
        return None
    return theirs


def _named(theirs: Outcome | None) -> str:
    if theirs is None:
        return f"no run of {THEIRS}"
    return f"{THEIRS} of {theirs.facts['date']} on Python {theirs.facts['python']}"


def _print(title: str, tests: Mapping[str, str] | set[str]) -> None:
    print(f"  {title}: {len(tests)}")
    for name in sorted(tests):
        why = tests[name] if isinstance(tests, Mapping) else ""
        print(f"    {name}  {why.splitlines()[0] if why else ''}".rstrip())


def _beside(plan: Plan) -> Plan:
    return Plan(
        suite=SUITES[plan.suite].beside or plan.suite,
        driver=THEIRS,
        core=plan.core,
        server=plan.server,
        labels=plan.labels,
    )


def _plans(options: argparse.Namespace) -> Iterator[Plan]:
    names = list(SUITES) if options.suite == "all" else [options.suite]
    for suite in map(SUITES.__getitem__, names):
        if version_of(options.python) < suite.since:
            print(f"{suite.name}: {suite.source} needs Python {suite.since_text()}: see --python")
            continue
        for driver in options.driver or (THEIRS, OURS):
            if driver == THEIRS and not suite.has_mysqlclient:
                continue
            for pool in _pools(suite, driver, options.pool):
                yield Plan(
                    suite=suite.name,
                    driver=driver,
                    pool=pool,
                    core=options.core,
                    transport=options.transport,
                    server=options.server if options.server in NAMES else "given",
                    labels=tuple(options.labels),
                    jobs=options.jobs,
                    python=options.python,
                    wheel=options.wheel,
                )


def _pools(suite: Suite, driver: str, asked: str) -> tuple[bool, ...]:
    if driver == THEIRS or not suite.has_pool:
        return (False,)
    return {"off": (False,), "on": (True,), "both": (False, True)}[asked]


@contextlib.contextmanager
def _server(named: str) -> Iterator[Server]:
    if named not in NAMES:
        yield GivenServer(named)
        return
    with throwaway(named, *SERVER_OPTIONS) as server:
        yield server


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    add = parser.add_argument
    add("--suite", choices=[*SUITES, "all"], default="all")
    add("--driver", choices=[OURS, THEIRS], action="append", help="default: both, and compare")
    add("--pool", choices=["off", "on", "both"], default="both", help="of forksafe")
    add("--core", action="store_true", help="a selection that takes a minute or two")
    add("--transport", default="tcp", help="tcp, socket, tls or compress")
    add("--jobs", type=int, default=2, help="processes, for a suite that can use several")
    given = os.environ.get("FORKSAFE_TEST_DSN")
    add("--server", default=given or INSTALLED, help=f"{', '.join(NAMES)}, or a URL: CONTRIBUTING")
    add("--python", default=sys.executable, help="the interpreter to make environments of")
    add("--wheel", type=Path, help="forksafe, for another interpreter than this one")
    add("--record", action="store_true", help="put the runs into tests/CONFORMANCE.md")
    add("labels", nargs="*", help="parts of the suite, in the suite's own words")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
