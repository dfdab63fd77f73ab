"""Isolation levels and AUTOCOMMIT through SQLAlchemy: of an engine, and of a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from scripts.mariadb_server import Server
from tests.questions import session

pytest_plugins = ("tests.engines",)

MakeEngine = Callable[..., Any]
Table = Callable[..., str]

LEVELS = ("SERIALIZABLE", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ")


def rows(engine: Any, name: str) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT id FROM {name} ORDER BY id")))


@pytest.mark.parametrize("level", LEVELS)
def test_an_engine_has_a_level(make_either_engine: MakeEngine, level: str) -> None:
    engine = make_either_engine(isolation_level=level)
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.get_isolation_level() == level
            assert connection.default_isolation_level == "REPEATABLE READ"


@pytest.mark.parametrize("level", [*LEVELS, "AUTOCOMMIT"])
def test_a_connection_has_one_while_it_is_lent(make_either_engine: MakeEngine, level: str) -> None:
    engine = make_either_engine()
    for asked, found in [(level, level), (None, "REPEATABLE READ")]:
        with engine.connect() as connection:
            if asked:
                connection = connection.execution_options(isolation_level=asked)
            held = connection.connection.dbapi_connection
            assert held.get_autocommit() == (asked == "AUTOCOMMIT")
            if asked != "AUTOCOMMIT":
                assert connection.get_isolation_level() == found


def test_a_copy_of_an_engine_has_one_of_its_own(make_either_engine: MakeEngine) -> None:
    engine = make_either_engine()
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    for _ in range(2):
        with strict.connect() as connection:
            assert connection.get_isolation_level() == "SERIALIZABLE"
        with engine.connect() as connection:
            assert connection.get_isolation_level() == "REPEATABLE READ"


def test_what_an_autocommit_engine_does_is_done_at_once(
    server: Server, make_either_engine: MakeEngine, make_engine: MakeEngine, table: Table
) -> None:
    name = table()
    other = make_engine()
    engine = make_either_engine(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"INSERT INTO {name} VALUES (1)"))
        assert rows(other, name) == [1]
        connection.rollback()
    with engine.begin() as connection:
        connection.execute(text(f"INSERT INTO {name} VALUES (2)"))
        assert rows(other, name) == [1, 2]
    with Session(engine) as orm:
        orm.execute(text(f"INSERT INTO {name} VALUES (3)"))
        orm.rollback()
    assert rows(other, name) == [1, 2, 3]


def test_an_autocommit_engine_sends_its_statements_and_nothing_else(
    server: Server, make_engine: MakeEngine
) -> None:
    engine = make_engine(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        session(connection)
    before = server.status("Questions")
    look = server.status("Questions") - before
    for _ in range(10):
        with engine.connect() as connection:
            session(connection)
            connection.commit()
    assert server.status("Questions") - before == 2 * look + 10


def test_one_connection_in_autocommit_leaves_the_next_a_transaction(
    make_either_engine: MakeEngine, make_engine: MakeEngine, table: Table
) -> None:
    name = table()
    engine = make_either_engine()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"INSERT INTO {name} VALUES (1)"))
    with engine.connect() as connection:
        connection.execute(text(f"INSERT INTO {name} VALUES (2)"))
        connection.rollback()
    assert rows(make_engine(), name) == [1]


def test_two_engines_on_one_pool_have_each_its_own(make_pool: Callable[..., Any]) -> None:
    creator = make_pool(max_size=1, reset="session").connect
    plain, strict, auto = (
        create_engine("mysql+forksafe://", creator=creator, poolclass=NullPool, **options)
        for options in ({}, {"isolation_level": "SERIALIZABLE"}, {"isolation_level": "AUTOCOMMIT"})
    )
    for _ in range(2):
        for engine, level, autocommit in (
            (strict, "SERIALIZABLE", 0),
            (plain, "REPEATABLE READ", 0),
            (auto, "REPEATABLE READ", 1),
            (plain, "REPEATABLE READ", 0),
        ):
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT @@autocommit")) == autocommit
                held = connection.connection.dbapi_connection
                assert engine.dialect.get_isolation_level(held) == level
