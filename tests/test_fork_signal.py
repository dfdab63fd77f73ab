"""A fork in a signal handler, while this very thread waits: the child does not wait on.

The handler returns into the driver, in the child too; but there the socket is the parent's.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

import forksafe
from tests import watched
from tests.proxy import FaultProxy
from tests.watched import Watched

watch, witness = watched.watch, watched.witness

Watch = Callable[..., Watched]
Connect = Callable[..., forksafe.Connection]
MakePool = Callable[..., forksafe.Pool]


def outcome_of(act: Callable[[], object]) -> Any:
    try:
        return act()
    except forksafe.Error as error:
        return error


def fork_in_the_middle_of(
    act: Callable[[], object], go_on: Callable[[], object]
) -> tuple[Any, Any]:
    """The outcomes of `act` in this process and in the child that a signal handler forks off.

    `act` waits for ever, until `go_on` is called: by the handler, after the fork, in the parent.
    """
    parent = os.getpid()
    reading, writing = os.pipe()
    children = []

    def handler(*_: object) -> None:
        children.append(os.fork())
        if children == [0]:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
        else:
            go_on()

    previous = signal.signal(signal.SIGUSR1, handler)
    kick = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -USR1 {parent}"])
    ours = outcome_of(act)
    if os.getpid() != parent:
        with open(writing, "wb") as pipe:
            pickle.dump(ours, pipe)
        os._exit(0)
    signal.signal(signal.SIGUSR1, previous)
    os.close(writing)
    assert kick.wait() == 0
    with open(reading, "rb") as pipe:
        report = pipe.read()
    status = os.waitpid(children[0], 0)[1]
    assert os.waitstatus_to_exitcode(status) == 0, "the child hung"
    return ours, pickle.loads(report)


def test_in_the_middle_of_a_query_the_child_gets_2006_and_the_parent_its_answer(
    watch: Watch, transport: str
) -> None:
    parent = watch("in_transaction", transport)
    statement = parent.witness.hold_a_lock()

    def query() -> object:
        with parent.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    ours, theirs = fork_in_the_middle_of(query, parent.witness.release_locks)
    assert ours == watched.ANSWER
    assert type(theirs) is forksafe.OperationalError
    assert theirs.args[0] == 2006
    assert f"process {os.getpid()}" in theirs.args[1]
    parent.assert_undisturbed()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_in_the_middle_of_connecting_the_child_gets_an_error_and_the_parent_its_connection(
    connect: Connect, proxy: FaultProxy, transport: str
) -> None:
    proxy.hang()
    opened: list[forksafe.Connection] = []

    def open_one() -> int:
        opened.append(connect(transport, host=proxy.host, port=proxy.port))
        return opened[0].thread_id()

    ours, theirs = fork_in_the_middle_of(open_one, proxy.pass_)
    assert isinstance(theirs, forksafe.OperationalError)
    with opened[0].cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == (ours,)


def test_in_the_queue_of_a_pool_the_child_is_served_at_once(watch: Watch) -> None:
    parent = watch("in_transaction", timeout=8.0)
    other = parent.pool.connect()

    def wait_for_one() -> tuple[int, int]:
        connection = parent.pool.connect()
        session = connection.thread_id()
        connection.close()
        return session, parent.pool.stats()["forks_noticed"]

    session = other.thread_id()
    ours, theirs = fork_in_the_middle_of(wait_for_one, other.close)
    assert ours == (session, 0)
    assert not isinstance(theirs, Exception), theirs
    assert theirs[0] not in (session, parent.session)
    assert theirs[1] == 1
    parent.pool.connect().close()
