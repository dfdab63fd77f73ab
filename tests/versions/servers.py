"""The core tests on each server that there can be beside the installed MariaDB.

Every test that takes a transport runs by TCP, unix socket, TLS and compressed TCP. On MySQL every
account logs in by `caching_sha2_password`: in clear with the server's key, else by TLS.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts import servers
from tests.versions.run import HEADER, core, options, publish


def main() -> int:
    """The exit code."""
    asked = options("servers", "server", list(servers.OTHERS))
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
        well = well and count.well
    publish("servers", ("server", "version"), rows, asked.record)
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
