"""Children that do to their parent what no child of this driver does: they show that cells fail."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator

from tests.matrix.act import Act, Job, Leaving
from tests.matrix.state import State
from tests.matrix.way import Way

COM_QUIT, COM_QUERY, COM_STMT_CLOSE = b"\x01", b"\x03", b"\x19"


class Sabotage(Act):
    """Does something to the inherited socket, as a driver might that knows of no fork."""

    def __init__(self, harm: Callable[[socket.socket], object]) -> None:
        super().__init__("sabotage", lambda state: None)
        self.harm = harm

    def jobs(self, way: Way) -> list[Job]:
        def job(state: State) -> set[int]:
            for inherited in _inherited(state):
                self.harm(inherited)
            return state.work()

        return [job]


class Rudeness(Leaving):
    """Leaves with a session of its own still open."""

    def __init__(self) -> None:
        super().__init__("_exit", lambda way: os._exit(0))

    def jobs(self, way: Way) -> list[Job]:
        def job(state: State) -> set[int]:
            state.pool.connect()
            return set()

        return [job]


def says_goodbye(inherited: socket.socket) -> None:
    """COM_QUIT, as a driver's destructor sends it."""
    inherited.sendall(_packet(COM_QUIT))


def closes_statements(inherited: socket.socket) -> None:
    """COM_STMT_CLOSE, as a driver's destructor sends it."""
    # A server that uses a thread again for another session goes on with its numbers.
    for number in range(1, 10_000):
        inherited.sendall(_packet(COM_STMT_CLOSE + number.to_bytes(4, "little")))


def shuts_down(inherited: socket.socket) -> None:
    """The stream's end, for all who share it."""
    inherited.shutdown(socket.SHUT_RDWR)


def reads(inherited: socket.socket) -> None:
    """Takes bytes that the parent waits for."""
    assert inherited.recv(10)


def executes(sql: str) -> Callable[[socket.socket], None]:
    """A statement of the child's in the parent's session; its answer goes to the child."""

    def execute(inherited: socket.socket) -> None:
        inherited.sendall(_packet(COM_QUERY + sql.encode()))
        assert inherited.recv(1000)

    return execute


def _packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\0" + payload


def _inherited(state: State) -> Iterator[socket.socket]:
    """The sockets that lead where the state's do, but for the witness's."""
    options, mine = state.options(), state.witness.connection._sock.fileno()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as inherited:
            place = (options["host"], options["port"])
            if int(name) != mine and inherited.getpeername() == place:
                inherited.settimeout(5)
                yield inherited
