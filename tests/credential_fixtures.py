"""Fixtures for tests of credentials that are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.credentials import Account, Hanging


@pytest.fixture
def account(server: Server) -> Iterator[Account]:
    """An account of its own, dropped after the test."""
    made = Account(server)
    yield made
    server.execute_as_root(f"DROP USER {made.user}@'%'")


@pytest.fixture(params=["connect", "pool"])
def opener(request: pytest.FixtureRequest) -> Iterator[Callable[..., forksafe.Connection]]:
    """`opener(**options)`: a connection, by forksafe.connect() or from a pool of its own."""
    with contextlib.ExitStack() as left:

        def by_pool(**options: Any) -> forksafe.Connection:
            return left.enter_context(forksafe.Pool(**options)).connect()

        def by_connect(**options: Any) -> forksafe.Connection:
            connection = forksafe.connect(**options)
            left.callback(connection.close)
            return connection

        yield by_pool if request.param == "pool" else by_connect


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """A callable that hangs until it is released, at the latest when the test ends."""
    made = Hanging()
    yield made
    made.release()
