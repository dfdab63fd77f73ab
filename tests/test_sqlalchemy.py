"""`mysql+forksafe://` and `mariadb+forksafe://`."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    DECIMAL,
    JSON,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Time,
    create_engine,
    exc,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from scripts.mariadb_server import Server
from tests.questions import session

pytest_plugins = ("tests.engines",)


@pytest.fixture
def dialect(request: pytest.FixtureRequest, server: Server) -> str:
    """The name of one that takes this server: SQLAlchemy's for MariaDB takes no MySQL."""
    name: str = request.param
    if name == "mariadb" and not server.is_mariadb:
        pytest.skip("SQLAlchemy's dialect mariadb takes MariaDB alone")
    return name


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"], indirect=True)
def test_the_dialects_are_found_by_their_names(server: Server, dialect: str) -> None:
    import forksafe

    engine = create_engine(server.url(scheme=f"{dialect}+forksafe"))
    assert (engine.dialect.name, engine.dialect.driver) == (dialect, "forksafe")
    assert engine.dialect.dbapi is forksafe
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 7")) == 7
    engine.dispose()


def test_columns_of_each_kind_come_back_as_they_went(make_engine: Callable[..., Any]) -> None:
    engine = make_engine()
    table = Table(
        "sqlalchemy_kinds",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("name", String(80), nullable=False, unique=True),
        Column("data", JSON),
        Column("blob", LargeBinary),
        Column("price", DECIMAL(12, 4)),
        Column("at", DateTime),
        Column("opens", Time),
    )
    row = {
        "name": "100 % 🐍 'quoted' :colon",
        "data": {"a": [1, None, "ü"]},
        "blob": bytes(range(256)),
        "price": decimal.Decimal("-1.5000"),
        "at": datetime.datetime(2026, 1, 2, 3, 4, 5),
        "opens": datetime.time(6, 7, 8),
    }
    table.metadata.drop_all(engine)
    table.metadata.create_all(engine)
    try:
        with engine.begin() as connection:
            made = connection.execute(insert(table).values(**row))
            assert made.inserted_primary_key == (1,)
            many = connection.execute(insert(table), [{"name": "a"}, {"name": "b"}, {"name": "c"}])
            assert many.rowcount == 3
            # Counted as found, although nothing changes.
            assert connection.execute(update(table).values(price=table.c.price)).rowcount == 4
        with engine.connect() as connection:
            found = connection.execute(select(table).where(table.c.id == 1)).one()._asdict()
            assert {name: found[name] for name in row} == row
        columns = {c["name"]: str(c["type"]) for c in inspect(engine).get_columns(table.name)}
        assert columns["price"] == "DECIMAL(12, 4)"
        assert inspect(engine).get_unique_constraints(table.name)[0]["column_names"] == ["name"]
    finally:
        table.metadata.drop_all(engine)


def test_the_orm_commits_rolls_back_and_nests(make_engine: Callable[..., Any]) -> None:
    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "sqlalchemy_author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(40), unique=True)

    engine = make_engine()
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    try:
        with Session(engine) as orm:
            orm.add(Author(name="kept"))
            orm.flush()
            with pytest.raises(exc.IntegrityError), orm.begin_nested():
                orm.add(Author(name="kept"))
            orm.commit()
            orm.add(Author(name="taken back"))
            orm.rollback()
            assert [author.name for author in orm.scalars(select(Author))] == ["kept"]
    finally:
        Base.metadata.drop_all(engine)


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "SERIALIZABLE", "READ COMMITTED"])
def test_isolation_levels_are_set_and_put_back(make_engine: Callable[..., Any], level: str) -> None:
    engine = make_engine(pool_size=1, max_overflow=0)
    with engine.connect() as connection:
        before = connection.get_isolation_level()
    with engine.connect().execution_options(isolation_level=level) as connection:
        if level == "AUTOCOMMIT":  # MySQL keeps it apart from the level
            assert connection.connection.dbapi_connection.get_autocommit()
        else:
            assert connection.get_isolation_level() == level
        own = session(connection)
    with engine.connect() as connection:
        assert (session(connection), connection.get_isolation_level()) == (own, before)


def test_options_in_the_query_of_a_url_are_the_drivers(make_engine: Callable[..., Any]) -> None:
    options = {"init_command": "SET @greeting = 'hello'", "read_timeout": 7.5, "autocommit": True}
    with make_engine(url_options=options).connect() as connection:
        assert connection.scalar(text("SELECT @greeting")) == "hello"
        assert connection.scalar(text("SELECT @@autocommit")) == 1
    engine = make_engine(url_options={"conect_timeout": 3})
    with pytest.raises(exc.ProgrammingError, match="conect_timeout"):
        engine.connect()


def test_a_url_on_each_transport_connects(make_engine: Callable[..., Any], transport: str) -> None:
    with make_engine(transport).connect() as connection:
        cipher = connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1]
        assert bool(cipher) == (transport == "tls")


@pytest.mark.parametrize("rest", ["", "/"])
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"], indirect=True)
def test_a_pool_of_the_drivers_is_the_creator(
    make_pool: Callable[..., Any], dialect: str, rest: str
) -> None:
    pool = make_pool(max_size=2)
    engine = create_engine(f"{dialect}+forksafe://{rest}", creator=pool.connect, poolclass=NullPool)
    sessions = set()
    for _ in range(3):
        with engine.connect() as connection:
            sessions.add(session(connection))
            assert pool.stats()["in_use"] == 1
        assert pool.stats()["in_use"] == 0
    assert len(sessions) == 1


def test_lending_costs_no_round_trip(server: Server, make_pool: Callable[..., Any]) -> None:
    pool = make_pool()
    own = create_engine(server.url(scheme="mysql+forksafe"))
    pooled = create_engine("mysql+forksafe://", creator=pool.connect, poolclass=NullPool)
    for engine in (own, pooled):
        with engine.connect() as connection:
            session(connection)
        before = server.status("Questions")
        look = server.status("Questions") - before
        for _ in range(20):
            with engine.connect() as connection:
                session(connection)
        assert server.status("Questions") - before == 2 * look + 20
    own.dispose()
