"""An engine that a child inherits works in the child, and in its parent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.pool import NullPool

from scripts.mariadb_server import Server
from tests.children import start_child
from tests.fork import WAYS_TO_LEAVE
from tests.questions import session

CHILDREN = 4
QUERIES = 1600  # by each of them and by the parent: 8,000


@pytest.fixture(params=["own QueuePool", "pre_ping", "creator"])
def engine(
    request: pytest.FixtureRequest, server: Server, transport: str, make_pool: Callable[..., Any]
) -> Iterator[Any]:
    """SQLAlchemy's pool on the driver's connections; with a ping; or the driver's pool alone."""
    url = server.url(transport, scheme="mysql+forksafe")
    if request.param == "creator":
        lend = make_pool(transport, max_size=8).connect
        engine = create_engine("mysql+forksafe://", creator=lend, poolclass=NullPool)
    else:
        engine = create_engine(url, pool_size=4, pool_pre_ping=request.param == "pre_ping")
    yield engine
    engine.dispose()


def ask(engine: Any, questions: int, who: str) -> tuple[int, set[int]]:
    """How many of the answers were wrong, and the sessions that gave them."""
    wrong, sessions = 0, set()
    for number in range(questions):
        token = f"{who} {number}"
        with engine.connect() as connection:
            row = connection.execute(text("SELECT :token, CONNECTION_ID()"), {"token": token}).one()
        wrong += row[0] != token
        sessions.add(row[1])
    return wrong, sessions


def test_8000_queries_of_a_parent_and_four_children_are_answered_right(engine: Any) -> None:
    held = engine.connect()
    before = held.execute(text("SELECT CONNECTION_ID(), @mark := 7")).one()
    ask(engine, 1, "parent, before")
    children = [start_child(ask, engine, QUERIES, f"child {n}") for n in range(CHILDREN)]
    answers = [ask(engine, QUERIES, "parent"), *(wait() for wait in children)]
    assert [wrong for wrong, _ in answers] == [0] * (CHILDREN + 1)
    sessions = [found for _, found in answers]
    assert len(set.union(*sessions)) == sum(map(len, sessions)), "a session served two processes"
    assert ask(engine, 1, "parent, after")[1] <= sessions[0]
    assert held.execute(text("SELECT CONNECTION_ID(), @mark")).one() == before
    held.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_another_thread_holds_the_queues_lock_does_not_hang(
    server: Server, in_child: Callable[..., Any]
) -> None:
    engine = create_engine(server.url(scheme="mysql+forksafe"))
    ask(engine, 1, "parent")
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with engine.pool._pool.mutex, engine.pool._overflow_lock:
            locked.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    try:
        assert in_child(ask, engine, 3, "child")[0] == 0
        in_child(lambda: (engine.pool.status(), engine.dispose(), ask(engine, 1, "child")))
    finally:
        done.set()
        holder.join()
    engine.dispose()


def test_a_child_has_the_whole_of_the_pool(server: Server, in_child: Callable[..., Any]) -> None:
    url = server.url(scheme="mysql+forksafe")
    engine = create_engine(url, pool_size=2, max_overflow=0, pool_timeout=1)
    held = [engine.connect(), engine.connect()]

    def child() -> tuple[int, str]:
        held[0].close()  # what is inherited is not returned to the child's pool
        own = [engine.connect(), engine.connect()]
        with pytest.raises(exc.TimeoutError):
            engine.connect()
        found = len({session(connection) for connection in own})
        own[0].close()
        held[1].invalidate()
        held[1].close()
        return found, engine.pool.status()

    found, status = in_child(child)
    assert found == 2
    assert "Connections in pool: 1 Current Overflow: 0 Current Checked out connections: 1" in status
    for connection in held:
        connection.close()
    engine.dispose()


@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
def test_a_child_that_leaves_does_not_touch_the_parents_sessions(
    engine: Any, in_child: Callable[..., Any], leave: str
) -> None:
    with engine.connect() as idle:
        session(idle)
    with engine.connect() as held:
        before = held.execute(text("SELECT CONNECTION_ID(), @mark := 7")).one()
        wrong, sessions = in_child(ask, engine, 3, "child", leave=leave)
        assert (wrong, before[0] in sessions) == (0, False)
        assert held.execute(text("SELECT CONNECTION_ID(), @mark")).one() == before


@pytest.mark.parametrize("do", ["nothing", "close", "rollback", "collect", "dispose", "invalidate"])
def test_a_transaction_of_the_parent_outlives_what_the_child_does_to_it(
    engine: Any, in_child: Callable[..., Any], table: Callable[..., str], do: str
) -> None:
    name = table("id INT PRIMARY KEY")
    held = [engine.connect()]

    def child() -> int:
        import gc

        if do == "collect":
            held.clear()
            gc.collect()
        elif do == "dispose":
            engine.dispose()
        elif do != "nothing":
            getattr(held[0], do)()
        return ask(engine, 2, "child")[0]

    held[0].execute(text(f"INSERT INTO {name} VALUES (1)"))
    assert in_child(child, leave="sys.exit") == 0
    held[0].execute(text(f"INSERT INTO {name} VALUES (2)"))
    held[0].commit()
    held[0].close()
    with engine.connect() as connection:
        assert connection.scalar(text(f"SELECT COUNT(*) FROM {name}")) == 2


def test_an_inherited_connection_in_use_is_a_disconnect_that_names_both_processes(
    engine: Any, in_child: Callable[..., Any]
) -> None:
    with engine.connect() as held:
        own = session(held)

        def child() -> Any:
            with pytest.raises(exc.OperationalError) as caught:
                held.execute(text("SELECT 1"))
            told = str(caught.value.orig)
            held.rollback()
            return caught.value.connection_invalidated, told, os.getpid(), session(held)

        invalidated, told, pid, after = in_child(child)
        assert invalidated
        assert after != own
        assert str(os.getpid()) in told
        assert str(pid) in told
        assert session(held) == own


def test_children_of_children_work(engine: Any, in_child: Callable[..., Any]) -> None:
    def child() -> Any:
        _, second = ask(engine, 1, "child")
        _, third = in_child(ask, engine, 1, "grandchild")
        return second, third, ask(engine, 1, "child")[1]

    _, first = ask(engine, 1, "parent")
    second, third, again = in_child(child)
    assert len(first | second | third) == 3
    assert again == second
    assert ask(engine, 1, "parent")[1] == first
