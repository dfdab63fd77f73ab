"""Another witness than the server: strace sees no child touch a socket that its parent opened."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.mariadb_server import Server
from tests.matrix import cells
from tests.matrix.cells import Cell
from tests.strace import Trace, traced, why_not

ROOT = Path(__file__).resolve().parent.parent

# A child does one thing with a socket that it inherited.
CHILD = """
import contextlib, os, socket, sys, threading

act = sys.argv[2]
inherited = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
number = inherited.fileno()

def own_socket_on_the_same_number():
    inherited.close()
    own = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    assert own.fileno() == number
    own.sendall(b"x")

def in_a_thread():
    thread = threading.Thread(target=inherited.send, args=[b"x"])
    thread.start()
    thread.join()

def in_a_child_of_its_own():
    if os.fork() == 0:
        inherited.send(b"x")
        os._exit(0)
    os.wait()

def after_exec():
    os.set_inheritable(number, True)
    os.execvp("sh", ["sh", "-c", f"echo x >&{number}"])

def in_a_read_that_never_returns():
    threading.Timer(0.1, os._exit, [0]).start()
    inherited.recv(1)

ACTS = {
    "writes": lambda: os.write(number, b"x"),
    "sends": lambda: inherited.send(b"x"),
    "sends a message": lambda: inherited.sendmsg([b"x"]),
    "peeks": lambda: inherited.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT),
    "shuts it down": lambda: inherited.shutdown(socket.SHUT_RDWR),
    "makes it wait": lambda: inherited.setblocking(False),
    "writes to a copy": lambda: os.write(os.dup(number), b"x"),
    "sends in a thread": in_a_thread,
    "sends in a grandchild": in_a_child_of_its_own,
    "writes after exec": after_exec,
    "waits in a read": in_a_read_that_never_returns,
    "does nothing": lambda: None,
    "closes it": inherited.close,
    "opens its own": own_socket_on_the_same_number,
}
if os.fork() == 0:
    try:
        ACTS[act]()
    finally:
        os._exit(0)
os.wait()
with contextlib.suppress(OSError):
    inherited.sendall(b"a parent may")
"""


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    """Skip where nothing can be traced."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something on loopback to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def offences(listener: socket.socket, tmp_path: Path) -> Callable[[str], list[str]]:
    """`offences(act)`: the calls that strace saw a child make on what it inherited."""

    def run(act: str) -> list[str]:
        port = listener.getsockname()[1]
        to = tmp_path / "trace"
        program = [sys.executable, "-c", CHILD, str(port), act]
        subprocess.run(traced(program, to), check=True, timeout=60)
        trace = Trace.read(to)
        assert trace.connected
        assert trace.forks
        return [call.name for call in trace.offences()]

    return run


@pytest.mark.parametrize(
    ("act", "call"),
    [
        ("writes", "write"),
        ("sends", "sendto"),
        ("sends a message", "sendmsg"),
        ("peeks", "recvfrom"),
        ("shuts it down", "shutdown"),
        ("makes it wait", "ioctl"),
        ("writes to a copy", "write"),
        ("sends in a thread", "sendto"),
        ("sends in a grandchild", "sendto"),
        ("writes after exec", "write"),
        ("waits in a read", "recvfrom"),
    ],
)
def test_strace_catches_a_child_that(
    offences: Callable[[str], list[str]], act: str, call: str
) -> None:
    assert offences(act) == [call]


@pytest.mark.parametrize("act", ["does nothing", "closes it", "opens its own"])
def test_strace_clears_a_child_that(offences: Callable[[str], list[str]], act: str) -> None:
    assert offences(act) == []


Sampled = tuple[Trace, "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def sampled(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    """What strace saw while a sample of the matrix ran, and what pytest said."""
    to = tmp_path_factory.mktemp("strace") / "trace"
    # A server that was started here would be traced, and this is not about what servers do.
    places = {"ssl_mode": None, "unix_socket": server.unix_socket, "ssl_ca": server.ca_file}
    environment = {**os.environ, "FORKSAFE_TEST_DSN": server.url(**places)}
    environment["FORKSAFE_TEST_DJANGO"] = "forksafe_traced"
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "tests.strace_mark", "--timeout=30", "--session-timeout=90"]
    command += ["--matrix=all", *map(node, sample(server))]
    done = subprocess.run(
        traced(command, to), cwd=ROOT, env=environment, capture_output=True, text=True
    )
    return Trace.read(to), done


def sample(server: Server) -> list[Cell]:
    """Cells in which each way to fork meets each transport, and each state and each act occurs."""

    def values(cell: Cell) -> set[object]:
        return {cell.state, cell.act, (cell.transport, cell.way)}

    possible = [cell for cell in cells.possible() if cell.transport in server.transports]
    random.Random(1).shuffle(possible)  # else the first state would come in whenever any will do
    missing = set().union(*map(values, possible))
    chosen = []
    while missing:
        chosen.append(max(possible, key=lambda cell: len(values(cell) & missing)))
        missing -= values(chosen[-1])
    return chosen


def node(cell: Cell) -> str:
    """What pytest calls the test of a cell."""
    return f"tests/test_matrix.py::test_a_parent_is_not_disturbed[{cell}]"


def test_no_child_touches_an_inherited_socket_in_a_sample_of_the_matrix(sampled: Sampled) -> None:
    trace, _ = sampled
    if offences := trace.offences():
        first = "\n".join(map(str, offences[:20]))
        pytest.fail(f"{len(offences)} offences, the first of them:\n{first}", pytrace=False)


def test_the_sample_ran_and_strace_saw_its_children(sampled: Sampled, server: Server) -> None:
    trace, pytests = sampled
    assert pytests.returncode == 0, pytests.stdout + pytests.stderr
    assert {node(cell) for cell in sample(server)} <= {mark for mark, _ in trace.forks}
    # They had inherited something, and strace told what: they let go of it.
    assert any(call.name == "close" for call in trace.inherited())
