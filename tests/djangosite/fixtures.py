"""The project, set up in the process of the tests; used as a pytest plugin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.djangosite.settings import DATABASE, configure, database, databases


@pytest.fixture(scope="session")
def django_site(server: Server) -> Iterator[None]:
    """The project with its tables, in a database of its own."""
    server.execute_as_root(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}")
    configure(databases(server))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    yield
    server.execute_as_root(f"DROP DATABASE {DATABASE}")


@pytest.fixture
def site(django_site: None) -> Iterator[None]:
    """The project with empty tables; every connection and pool is closed after the test."""
    from django.db import connections

    from tests.djangosite.library.models import Author, Book, Note, Shelf

    yield
    _close_all()
    for model in (Book, Author, Note, Shelf):
        model.objects.all().delete()
    connections.close_all()


@pytest.fixture
def kill(site: None, server: Server) -> Callable[..., int]:
    """`kill(alias="default")`: end this thread's session on the server; answers which it was.

    It waits until the session has ended, and says nothing on the connection itself.
    """
    from django.db import connections

    def end(alias: str = "default") -> int:
        connections[alias].ensure_connection()
        doomed = int(connections[alias].connection.thread_id())
        server.kill_session(doomed)
        while doomed in server.session_ids():
            time.sleep(0.01)
        return doomed

    return end


@pytest.fixture
def make_wrapper(server: Server) -> Iterator[Callable[..., Any]]:
    """`make_wrapper(**changes)`: a wrapper of its own alias, its pool closed after the test."""
    from django.db import connections

    made: list[Any] = []

    def make(alias: str = "own", **changes: Any) -> Any:
        wrapper = connections["brief"].copy(alias)
        entry = database(server, **changes)
        wrapper.settings_dict.update(entry)
        made.append(wrapper)
        return wrapper

    yield make
    for wrapper in made:
        wrapper.close()
        wrapper.settings_dict["CONN_MAX_AGE"] = 0
        wrapper.close_pool(force=True)


def _close_all() -> None:
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        # What a test leaves broken is not the next one's business.
        connection.run_on_commit = []
        connection.in_atomic_block = False
        connection.close()
        connection.close_pool(force=True)
