"""A child lets go of inherited descriptors, once and only of those; nothing leaks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from tests import fork, watched
from tests.proxy import FaultProxy
from tests.watched import STATES, Watched

watch, witness = watched.watch, watched.witness

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="reads the descriptors in /proc (Linux)"
)

InChild = Callable[..., Any]
Watch = Callable[..., Watched]
Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


def sockets() -> dict[int, int]:
    """Number and inode of each socket that is open in this process."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            status = os.fstat(int(name))
        except OSError:
            continue  # the descriptor of the listing itself
        if stat.S_ISSOCK(status.st_mode):
            found[int(name)] = status.st_ino
    return found


def query(connection: forksafe.Connection) -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'answer'")
        return cursor.fetchone()


# Whatever a child does first with forksafe.
FIRST_USES: dict[str, Callable[[Watched], object]] = {
    "stats": lambda parent: parent.pool.stats(),
    "repr of a connection": lambda parent: repr(parent.connection),
    "close": lambda parent: parent.connection.close(),
    "rollback": lambda parent: parent.connection.rollback(),
    "drop": lambda parent: parent.drop(),
    "close of the pool": lambda parent: parent.pool.close(),
    "check-out": lambda parent: parent.pool.connect().close() or parent.pool.close(),
}


@pytest.mark.parametrize("use", FIRST_USES.values(), ids=FIRST_USES)
def test_no_inherited_socket_is_open_after_the_first_use(
    watch: Watch, connect: Connect, in_child: InChild, transport: str, use: Callable[..., object]
) -> None:
    others = sockets()
    parent = watch("in_transaction", transport)
    more = [connect(transport), parent.pool.connect()]
    idle = watch("idle", transport)
    ours = sockets().items() - others.items()
    assert len(ours) == 4

    def child() -> tuple[int, int]:
        before = len(sockets().items() & ours)
        use(parent)
        return before, len(sockets().items() & ours)

    assert in_child(child) == (4, 0)
    assert sockets().items() >= ours
    assert [query(connection) for connection in more] == [("answer",)] * 2
    more.pop().close()
    idle.assert_undisturbed()
    parent.assert_undisturbed(connects=2)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_socket_that_is_being_connected_at_the_fork_is_let_go_too(
    connect: Connect, proxy: FaultProxy, in_child: InChild, transport: str
) -> None:
    others = sockets()
    proxy.hang()
    opened: list[forksafe.Connection] = []
    place = {"host": proxy.host, "port": proxy.port}
    thread = threading.Thread(target=lambda: opened.append(connect(transport, **place)))
    thread.start()
    while proxy.stats()["open"] == 0:
        time.sleep(0.001)
    ours = sockets().items() - others.items()

    def child() -> int:
        forksafe.Pool("mysql://nobody@127.0.0.1:1/").stats()
        return len(sockets().items() & ours)

    assert (len(ours), in_child(child)) == (1, 0)
    proxy.pass_()
    thread.join(10)
    assert query(opened[0]) == ("answer",)


def test_a_child_keeps_the_sockets_that_are_not_ours(watch: Watch, in_child: InChild) -> None:
    others = sockets()
    parent = watch("in_transaction")

    def child() -> set[int]:
        parent.pool.stats()
        return set(others) & set(sockets())

    assert others
    assert in_child(child) == set(others)


@pytest.mark.parametrize("state", STATES)
def test_a_chain_of_generations_stays_flat(
    watch: Watch, in_child: InChild, transport: str, state: str
) -> None:
    parent = watch(state, transport)

    def generation(depth: int) -> list[int]:
        held = [parent.pool.connect() for _ in range(2)]
        assert query(held[0]) == ("answer",)
        held.pop().close()
        counts = [len(sockets())]
        if depth < 12:
            counts += fork.in_child(generation, depth + 1)
        held.pop().close()
        parent.pool.close()
        return counts

    counts = in_child(generation, 1)
    assert counts == counts[:1] * 12
    parent.assert_undisturbed()


def test_many_children_of_one_parent_leave_it_flat(watch: Watch, in_child: InChild) -> None:
    parent = watch("in_transaction")
    before = sockets()
    for _ in range(20):
        in_child(lambda: query(parent.pool.connect()))
    assert sockets() == before


def test_no_socket_survives_an_exec(watch: Watch, transport: str) -> None:
    parent = watch("in_transaction", transport)
    number = str(parent.connection.fileno())
    program = "import os, sys; os.fstat(int(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, number], close_fds=False, capture_output=True, text=True
    )
    assert "Bad file descriptor" in done.stderr
    parent.assert_undisturbed()


def test_a_number_that_means_another_file_by_now_stays_open_in_the_child(
    connect: Connect, in_child: InChild, tmp_path: Path
) -> None:
    connection = connect()
    number = connection.fileno()
    path = tmp_path / "log"
    with open(path, "w") as log:
        os.dup2(log.fileno(), number)  # as when Celery closes it and a file gets the number

    def child() -> None:
        connection.close()
        forksafe.Pool("mysql://nobody@127.0.0.1:1/").stats()
        os.write(number, b"child ")

    in_child(child)
    connection.close()
    os.write(number, b"parent")
    os.close(number)
    assert path.read_text() == "child parent"


def test_a_number_that_means_another_socket_by_now_stays_open_in_the_child(
    connect: Connect, in_child: InChild
) -> None:
    connection, other = connect(), connect()
    theirs, ours = connection.fileno(), other.fileno()
    os.dup2(ours, theirs)

    def child() -> tuple[bool, bool]:
        connection.close()
        return theirs in sockets(), ours in sockets()

    assert in_child(child) == (True, False)
    connection.close()
    assert theirs in sockets()
    os.close(theirs)
    assert query(other) == ("answer",)
