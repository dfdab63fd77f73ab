"""A child of a process that uses Django works at once, and leaves its parent alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.fork import WAYS_TO_LEAVE

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")

ALIASES = ("default", "pooled", "socket", "tls")


@pytest.fixture(params=ALIASES)
def alias(request: pytest.FixtureRequest, server: Server) -> str:
    name: str = request.param
    if name in ("socket", "tls") and name not in server.transports:
        pytest.skip(f"the server offers no {name}")
    return name


@pytest.fixture
def unharmed(site: None, alias: str) -> Iterator[None]:
    """The parent keeps its session and its session variable."""
    before = ask(alias, "SELECT CONNECTION_ID(), @mark := 7")
    yield
    assert ask(alias, "SELECT CONNECTION_ID(), @mark") == before


def ask(alias: str, sql: str) -> Any:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def add_note(alias: str, text: str) -> int:
    """What the child does; answers the session it did it in."""
    from tests.djangosite.library.models import Note

    Note.objects.using(alias).create(text=text)
    return int(ask(alias, "SELECT CONNECTION_ID()")[0])


def notes(alias: str) -> set[str]:
    from tests.djangosite.library.models import Note

    return set(Note.objects.using(alias).values_list("text", flat=True))


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
def test_a_child_queries_on_a_session_of_its_own(
    in_child: Callable[..., Any], alias: str, leave: str
) -> None:
    own = ask(alias, "SELECT CONNECTION_ID()")[0]
    sessions = {in_child(add_note, alias, f"{n}", leave=leave) for n in range(3)}
    assert own not in sessions
    assert notes(alias) == {"0", "1", "2"}


@pytest.mark.usefixtures("unharmed")
def test_a_child_of_a_parent_in_atomic_works_and_the_parent_keeps_its_rows(
    in_child: Callable[..., Any], alias: str
) -> None:
    from django.db import connections, transaction

    ran: list[str] = []

    def child() -> tuple[Any, ...]:
        connection = connections[alias]
        state = (connection.in_atomic_block, connection.get_autocommit(), connection.run_on_commit)
        with transaction.atomic(using=alias):
            add_note(alias, "of the child")
            transaction.on_commit(lambda: ran.append("of the child"), using=alias)
        return (*state, notes(alias), ran)

    with transaction.atomic(using=alias):
        add_note(alias, "of the parent")
        with transaction.atomic(using=alias):
            transaction.on_commit(lambda: ran.append("of the parent"), using=alias)
            told = in_child(child)
            add_note(alias, "of the parent too")
    # The parent's rows were not committed yet, and its hooks are not the child's.
    assert told == (False, True, [], {"of the child"}, ["of the child"])
    assert notes(alias) == {"of the child", "of the parent", "of the parent too"}
    assert ran == ["of the parent"]


@pytest.mark.parametrize("first", ["nothing", "a query"])
@pytest.mark.parametrize("leave", ["sys.exit", "exception"])
def test_a_child_that_unwinds_its_parents_blocks_ends_silently(
    in_child: Callable[..., Any], server: Server, alias: str, leave: str, first: str
) -> None:
    from django.db import transaction

    own = ask(alias, "SELECT CONNECTION_ID()")
    connects = server.status("Connections")
    look = server.status("Connections") - connects
    with transaction.atomic(using=alias):
        add_note(alias, "of the parent")
        with transaction.atomic(using=alias):
            job = (lambda: None) if first == "nothing" else (lambda: notes(alias))
            in_child(job, leave=leave)
        add_note(alias, "of the parent too")
        assert ask(alias, "SELECT CONNECTION_ID()") == own
    if first == "nothing":
        # Not even a connection of its own.
        assert server.status("Connections") - connects == 2 * look
    assert notes(alias) == {"of the parent", "of the parent too"}


@pytest.mark.usefixtures("unharmed")
def test_a_child_leaves_the_parents_blocks_in_good_order(
    in_child: Callable[..., Any], alias: str
) -> None:
    """The blocks end in the child without an exception too, as after multiprocessing's fork."""
    from django.db import connections, transaction

    parent = os.getpid()
    reading, writing = os.pipe()
    with transaction.atomic(using=alias):
        add_note(alias, "of the parent")
        with transaction.atomic(using=alias):
            if (pid := os.fork()) == 0:
                add_note(alias, "of the child")
    if os.getpid() != parent:
        try:
            state = (notes(alias), connections[alias].get_autocommit())
            os.write(writing, repr(state).encode())
        finally:
            os._exit(0)
    os.close(writing)
    assert os.waitpid(pid, 0)[1] == 0
    told = os.read(reading, 1000).decode()
    os.close(reading)
    # Whether the parent had committed by then is a race; that the child had not is not.
    assert "of the child" in told
    assert told.endswith("True)")
    assert notes(alias) == {"of the parent", "of the child"}


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize(
    "do",
    [
        "close",
        "close_if_unusable_or_obsolete",
        "rollback",
        "is_usable",
        "get_autocommit",
        "close_pool",
    ],
)
def test_whatever_the_child_does_first_leaves_the_parent_alone(
    in_child: Callable[..., Any], alias: str, do: str
) -> None:
    from django.db import connections, transaction

    def child() -> int:
        getattr(connections[alias], do)()
        return add_note(alias, "of the child")

    with transaction.atomic(using=alias):
        add_note(alias, "of the parent")
        in_child(child)
        assert "of the parent" in notes(alias)
    assert notes(alias) == {"of the parent", "of the child"}


@pytest.mark.usefixtures("unharmed")
def test_a_cursor_made_before_the_fork_follows_the_child(
    in_child: Callable[..., Any], alias: str
) -> None:
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        [own] = cursor.fetchone()

        def child() -> Any:
            cursor.execute("SELECT CONNECTION_ID()")
            return cursor.fetchone()[0]

        assert in_child(child) != own
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone() == (own,)


@pytest.mark.usefixtures("unharmed")
def test_a_broken_transaction_of_the_parent_is_not_the_childs(
    in_child: Callable[..., Any], alias: str
) -> None:
    from django.db import connections, transaction

    with transaction.atomic(using=alias):
        connections[alias].set_rollback(True)
        with connections[alias].cursor() as cursor:

            def child() -> Any:
                cursor.execute("SELECT 7")
                return cursor.fetchone()

            assert in_child(child) == (7,)
        assert connections[alias].needs_rollback


@pytest.mark.usefixtures("unharmed")
def test_children_of_children_work(in_child: Callable[..., Any], alias: str) -> None:
    def grandchild() -> int:
        return add_note(alias, "third")

    def child() -> list[int]:
        second = add_note(alias, "second")
        third = in_child(grandchild)
        assert ask(alias, "SELECT CONNECTION_ID()") == (second,)
        return [second, third]

    first = add_note(alias, "first")
    assert len({first, *in_child(child)}) == 3
    assert notes(alias) == {"first", "second", "third"}


def test_a_childs_pool_is_empty_and_has_its_full_size(in_child: Callable[..., Any]) -> None:
    from django.db import connections

    def child() -> dict[str, Any]:
        before = connections["pooled"].pool.stats()
        add_note("pooled", "of the child")
        return {"before": before, "after": connections["pooled"].pool.stats()}

    add_note("pooled", "of the parent")
    told = in_child(child)
    assert (told["before"]["pool_size"], told["before"]["pool_max"]) == (0, 4)
    assert (told["after"]["in_use"], told["after"]["connections_num"]) == (1, 1)
    assert connections["pooled"].pool.stats()["pid"] == os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="the C library's name")
@pytest.mark.usefixtures("unharmed")
def test_a_fork_that_python_does_not_know_of_is_noticed(alias: str) -> None:
    """As uWSGI forks: none of Python's own hooks run."""
    import ctypes

    from django.db import transaction

    with transaction.atomic(using=alias):
        add_note(alias, "of the parent")
        if (pid := ctypes.PyDLL(None).fork()) == 0:
            try:
                add_note(alias, "of the child")
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
    assert notes(alias) == {"of the parent", "of the child"}
