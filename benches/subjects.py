"""Who takes part in `benches.first_answer`: forksafe, and its peers with their own remedies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pymysql
from sqlalchemy import URL, create_engine, text

import forksafe
from scripts.mariadb_server import Server

IDLE = 5  # connections that the parent's pools hold at the fork

# Gets one answer from the server; what it returns ends the connection, when nobody measures.
Answer = Callable[[], Callable[[], object]]


@dataclass
class Subject:
    """A way to a first answer, and what its parent keeps open meanwhile."""

    name: str
    forks: bool
    answer: Answer
    close: Callable[[], object] = lambda: None


def subjects(server: Server, transport: str) -> list[Subject]:
    """All that take part; what needs a package that is not there is left out."""
    found = [Subject("fork alone", True, lambda: lambda: None), *_forksafe(server, transport)]
    peers = _peer_kwargs(server, transport)
    # Else it would try TLS wherever the server has it.
    pymysqls = {**peers, "ssl_disabled": transport != "tls"}
    found += _driver("PyMySQL", pymysql.connect, pymysqls)
    with contextlib.suppress(ImportError):
        import MySQLdb

        found += _driver("mysqlclient", MySQLdb.connect, peers)
        found.append(_sqlalchemy("mysqldb", peers))
    found.append(_sqlalchemy("pymysql", pymysqls))
    return found


def _forksafe(server: Server, transport: str) -> list[Subject]:
    kwargs = server.connect_kwargs(transport)
    pool = forksafe.Pool(**kwargs, max_size=IDLE)
    for connection in [pool.connect() for _ in range(IDLE)]:
        connection.close()

    def answer() -> Callable[[], object]:
        with pool.connection() as connection:
            _ask(connection)
        return pool.close

    return [
        *_driver("forksafe", forksafe.connect, kwargs),
        Subject("forksafe: the pool, in the child", True, answer, pool.close),
    ]


def _driver(name: str, connect: Callable[..., Any], kwargs: dict[str, Any]) -> list[Subject]:
    """A fresh connect, which is what the drivers without a pool say a child must do."""
    kept = connect(**kwargs)

    def answer() -> Callable[[], object]:
        connection = connect(**kwargs)
        _ask(connection)
        return connection.close  # type: ignore[no-any-return]

    return [
        Subject(f"{name}: connect, no fork", False, answer),
        Subject(f"{name}: connect, in the child", True, answer, kept.close),
    ]


def _sqlalchemy(driver: str, kwargs: dict[str, Any]) -> Subject:
    """`engine.dispose(close=False)` in the child, then its pool connects."""
    # The URL chooses the driver; where the server is, the keywords say.
    engine = create_engine(URL.create(f"mysql+{driver}"), connect_args=kwargs, pool_size=IDLE)
    for connection in [engine.connect() for _ in range(IDLE)]:
        connection.close()

    def answer() -> Callable[[], object]:
        engine.dispose(close=False)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        return engine.dispose

    return Subject(f"SQLAlchemy + {driver}: dispose, in the child", True, answer, engine.dispose)


def _ask(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert tuple(cursor.fetchone()) == (1,)


def _peer_kwargs(server: Server, transport: str) -> dict[str, Any]:
    kwargs = server.connect_kwargs(transport, ssl_mode=None)
    if ca := kwargs.pop("ssl_ca", None):
        kwargs["ssl"] = {"ca": ca}
    return kwargs
