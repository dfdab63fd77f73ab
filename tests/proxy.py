"""A stoppable TCP proxy that injects faults between a driver and its server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


class FaultProxy:
    """A TCP port, or a unix socket, before a TCP port; forwards both ways until told otherwise.

    The proxy is a process of its own: the test's process stays free of its threads and of its
    descriptors, which a forked child would inherit and so keep open.
    """

    host = "127.0.0.1"

    def __init__(self, upstream_host: str, upstream_port: int, *unix_socket: str) -> None:
        program = str(Path(__file__).with_name("proxy_process.py"))
        self.maker = os.getpid()
        self.process = subprocess.Popen(
            [sys.executable, program, upstream_host, str(upstream_port), *unix_socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.port = int(self._answer())

    def pass_(self) -> None:
        """Forward again, without faults; listen again after `refuse`."""
        self._tell("pass")

    def refuse(self) -> None:
        """Stop listening: a connect is refused. Open connections go on."""
        self._tell("refuse")

    def hang(self) -> None:
        """Accept but forward nothing, on new and on open connections."""
        self._tell("hang")

    def hold_next(self) -> None:
        """Let the next connection's client hear but not be heard, until `pass_`; others pass."""
        self._tell("hold")

    def delay(self, milliseconds: int) -> None:
        """Wait before each chunk (or slice) towards the client."""
        self._tell("delay", milliseconds)

    def slice(self, size: int) -> None:
        """Cut what goes towards the client into pieces of `size` bytes; with `delay`, a drip."""
        self._tell("slice", size)

    def cut(self, count: int) -> None:
        """End each open and each new connection (FIN) after `count` more bytes to the client."""
        self._tell("cut", count)

    def cut_rst(self, count: int) -> None:
        """The same with a RST."""
        self._tell("cut_rst", count)

    def rst(self) -> None:
        """Reset every open connection now."""
        self._tell("rst")

    def fin(self) -> None:
        """Close every open connection now."""
        self._tell("fin")

    def turn(self, upstream_port: int) -> None:
        """Forward each new connection to another port, as a balancer does; open ones stay."""
        self._tell("turn", upstream_port)

    def swallow(self) -> None:
        """Swallow the next bytes of each open connection's client, and close only then."""
        self._tell("swallow")

    def stats(self) -> dict[str, int]:
        """Connections `open` and in `total`; bytes `down` (to the client) and `up`."""
        stats: dict[str, int] = self._tell("stats")
        return stats

    def arrivals(self) -> list[float]:
        """When each connection came, by `time.monotonic()`."""
        arrivals: list[float] = self._tell("arrivals")
        return arrivals

    def close(self) -> None:
        """End the proxy; in a forked child, nothing."""
        if os.getpid() != self.maker:
            return
        self.process.kill()
        self.process.communicate()

    def _tell(self, command: str, number: int = 0) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command} {number}\n")
        self.process.stdin.flush()
        return json.loads(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()
