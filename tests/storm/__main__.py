"""`python -m tests.storm [--forks N] [--variant NAME ...]`: run storms, print one table of counts.

Exits 1 when anything has happened that must not. Without FORKSAFE_TEST_DSN, against a server of
its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.mariadb_server import Server
from scripts.throwaway_mariadb import ThrowawayMariaDB
from tests.given_server import GivenServer
from tests.storm.counts import Counts, table
from tests.storm.plan import DRIVERS, VARIANTS, Plan


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _options(arguments)
    with contextlib.ExitStack() as stack:
        if given := os.environ.get("FORKSAFE_TEST_DSN"):
            server: Server = GivenServer(given)
        else:
            server = stack.enter_context(ThrowawayMariaDB())
        possible = [variant for variant in options.variant if _possible(variant, server)]
        url = server.url(ssl_mode=None, unix_socket=server.unix_socket, ssl_ca=server.ca_file)
        columns = {variant: run(_plan(variant, options), url) for variant in possible}
    print(table(columns))
    failed = False
    for variant, counts in columns.items():
        for note in counts.notes:
            print(f"\n{variant}: {note}")
        failed = failed or bool(counts.failures())
    print("\nFAILED" if failed else "\nall that must be zero is zero")
    return int(failed)


def run(plan: Plan, url: str) -> Counts:
    """One storm in a process of its own; one that dies is counted as hung.

    `url` names the server, as FORKSAFE_TEST_DSN does.
    """
    with tempfile.TemporaryDirectory(prefix="storm-") as directory:
        counts, stacks = Path(directory, "counts"), Path(directory, "stacks")
        command = [sys.executable, "-m", "tests.storm.process", plan.to_json()]
        command += [str(counts), str(stacks)]
        code = subprocess.run(command, env={**os.environ, "FORKSAFE_TEST_DSN": url}).returncode
        if stacks.exists() and (text := stacks.read_text()):
            print(f"{plan.variant}: what hung was at\n{text}", file=sys.stderr)
        if code == 0 and counts.exists():
            return Counts.from_json(counts.read_text())
        died = Counts({"seed": plan.seed})
        died.note("hung", f"the storm's process ended with {code}")
        return died


def _plan(variant: str, options: argparse.Namespace) -> Plan:
    return Plan(
        forks=options.forks,
        seed=options.seed,
        variant=variant,
        driver=options.driver,
        child_timeout=options.child_timeout,
    )


def _possible(variant: str, server: Server) -> bool:
    if variant != "idle-tls" or "tls" in server.transports:
        return True
    print("idle-tls: left out, FORKSAFE_TEST_DSN offers no TLS (give ssl_ca= in it)")
    return False


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    epilog = "; ".join(f"{name}: {meaning}" for name, meaning in VARIANTS.items())
    parser = argparse.ArgumentParser("python -m tests.storm", epilog=epilog)
    parser.add_argument("--forks", type=int, default=1000, help="of each variant, 10 or more")
    parser.add_argument("--variant", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--driver", choices=DRIVERS, default=DRIVERS[0])
    parser.add_argument("--child-timeout", type=float, default=30.0, help="seconds")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
