"""Engines on the tests' server, used as a pytest plugin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from forksafe.constants import CLIENT
from scripts.mariadb_server import Server


@pytest.fixture
def make_engine(server: Server) -> Iterator[Callable[..., Any]]:
    """`make_engine(transport, url_options={…}, **options)`: an engine, disposed of afterwards."""
    engines: list[Any] = []

    def make(transport: str = "tcp", url_options: Any = None, **options: Any) -> Any:
        url = server.url(transport, scheme="mysql+forksafe", **(url_options or {}))
        engines.append(create_engine(url, **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=["SQLAlchemy's pool", "forksafe's pool"])
def make_either_engine(request: Any, make_engine: Any, make_pool: Any) -> Callable[..., Any]:
    """`make_either_engine(**options)`: an engine on one connection, pooled in one of both ways."""

    def make(**options: Any) -> Any:
        if request.param == "SQLAlchemy's pool":
            return make_engine(pool_size=1, max_overflow=0, **options)
        pool = make_pool(max_size=1, client_flag=CLIENT.FOUND_ROWS)
        return create_engine(
            "mysql+forksafe://", creator=pool.connect, poolclass=NullPool, **options
        )

    return make


@pytest.fixture
def kill(server: Server) -> Callable[[int], None]:
    """`kill(connection_id)`: end a session on the server, and wait until it has ended."""

    def end(doomed: int) -> None:
        server.kill_session(doomed)
        while doomed in server.session_ids():
            time.sleep(0.01)

    return end
