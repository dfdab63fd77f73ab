"""The core tests on each server that there can be beside the installed MariaDB.

Every test of ours that takes a transport runs by TCP, unix socket, TLS and compressed TCP; then the
core selections of tests/conformance run by TCP, beside mysqlclient, and by TLS. On MySQL every
account logs in by `caching_sha2_password`: in clear with the server's key, else by TLS.
"""

from __future__ import annotations

import subprocess
import sys
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
        try:
            with servers.throwaway(name) as server:
                version = server.execute_as_root("SELECT VERSION()")[0][0] or ""
        except servers.NotToBeHadError as reason:
            print(reason, flush=True)
            rows.append([name, str(reason), *("",) * len(HEADER)])
            continue
        print(f"\n{name}: the core tests on {version}", flush=True)
        count = core(Path(sys.executable), f"--server={name}", *asked.pytest.split())
        rows.append([name, version, *count.cells()])
        well = count.well and well
        if not asked.ours:
            well = _conforms(name, asked.record) and well
    publish("servers", ("server", "version"), rows, asked.record)
    return int(not well)


def _conforms(name: str, record: bool) -> bool:
    """Whether nothing fails on forksafe in the core selections that passes on mysqlclient."""
    command = [sys.executable, "-m", "tests.conformance", "--core", "--server", name]
    command += ["--record"] if record else []
    codes = [subprocess.run([*command, *each], cwd=ROOT).returncode for each in SELECTIONS]
    return not any(codes)


if __name__ == "__main__":
    sys.exit(main())
