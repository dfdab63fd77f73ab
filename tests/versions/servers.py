"""The core tests on each server that there can be beside the installed MariaDB.

Every test of ours that takes a transport runs by TCP, unix socket, TLS and compressed TCP; then the
core selections of tests/conformance run by TCP, beside mysqlclient, and by TLS. On MySQL every
account logs in by `caching_sha2_password`: in clear with the server's key, else by TLS.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts import servers
from tests.versions.run import HEADER, ROOT, core, options, publish

SELECTIONS = (
    *(("--suite", suite, "--transport", "tcp") for suite in ("django", "sqlalchemy")),
    *(
        ("--suite", suite, "--transport", "tls", "--driver", "forksafe", "--pool", "off")
        for suite in ("django", "sqlalchemy")
    ),
)


def main() -> int:
    """The exit code."""
    asked = options(
        "servers", "server", list(servers.OTHERS), ours="only our own tests, no suites of others"
    )
    rows, well = [], True
    for name in asked.server:
        row, fine = _try(name, asked.pytest.split())
        rows.append(row)
        well = well and fine
        # After each: what was counted by then outlives a run that is cut short.
        publish("servers", ("server", "version"), rows, asked.record)
    if not asked.ours:
        # Of those that could be had.
        found = [name for name, row in zip(asked.server, rows, strict=True) if row[-1]]
        conform = [_conforms(name, asked.record) for name in found]
        well = well and all(conform)
    return int(not well)


def _try(name: str, arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Its row, and whether it is well; a server that cannot be had is."""
    try:
        with servers.throwaway(name) as server:
            version = server.execute_as_root("SELECT VERSION()")[0][0] or ""
    except servers.NotToBeHadError as reason:
        print(reason, flush=True)
        return [name, str(reason), *("",) * len(HEADER)], True
    print(f"\n{name}: the core tests on {version}", flush=True)
    count = core(Path(sys.executable), f"--server={name}", *arguments)
    return [name, version, *count.cells()], count.well


def _conforms(name: str, record: bool) -> bool:
    """Whether nothing fails on forksafe in the core selections that passes on mysqlclient."""
    command = [sys.executable, "-m", "tests.conformance", "--core", "--server", name]
    command += ["--record"] if record else []
    codes = [subprocess.run([*command, *each], cwd=ROOT).returncode for each in SELECTIONS]
    return not any(codes)


if __name__ == "__main__":
    sys.exit(main())
