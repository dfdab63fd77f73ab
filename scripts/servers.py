"""The servers of our own that there can be, by name: the installed one and others beside it.

`python -m scripts.servers NAME` starts one, prints what to connect to, and ends it with Ctrl-C.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from scripts.throwaway import Throwaway
from scripts.throwaway_mariadb import ThrowawayMariaDB
from scripts.throwaway_mysql import ThrowawayMySQL

SCRIPTS = Path(__file__).parent
UNPACKED = SCRIPTS.parent / "target" / "servers"

INSTALLED = "mariadb"
OTHERS: dict[str, tuple[type[Throwaway], str]] = {
    "mariadb-11.8": (ThrowawayMariaDB, "mariadb-fetch.sh"),
    "mysql-9": (ThrowawayMySQL, "mysql-fetch.sh"),
}
NAMES = (INSTALLED, *OTHERS)


class NotToBeHadError(RuntimeError):
    """A server, or another thing, that this machine cannot have; the text says why."""


def throwaway(name: str, *options: str) -> Throwaway:
    """One of `NAMES`, not started yet, with further `options`; fetched where it is not there.

    Raises NotToBeHadError.
    """
    if name == INSTALLED:
        return ThrowawayMariaDB(*options)
    kind, script = OTHERS[name]
    root = UNPACKED / name
    done = subprocess.run([SCRIPTS / script, root], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise NotToBeHadError(f"no {name} here: {done.stderr.strip()}")
    return kind(*options, root=root)


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0] not in NAMES:
        print(f"usage: python -m scripts.servers {'|'.join(NAMES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with throwaway(arguments[0]) as server:
            for transport in server.transports:
                print(f"{transport}: {server.url(transport)}", flush=True)
            signal.pause()
    except NotToBeHadError as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
