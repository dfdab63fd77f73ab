"""An engine whose connections come from `creator=pool.connect`, which chose their flags itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

import forksafe
from forksafe.constants import CLIENT

MakePool = Callable[..., forksafe.Pool]
Table = Callable[..., str]


@pytest.mark.parametrize("flags", [0, CLIENT.FOUND_ROWS])
def test_the_orm_writes_what_another_session_has_written_already(
    make_pool: MakePool, table: Table, flags: int
) -> None:
    name = table("id INT PRIMARY KEY, a INT")

    class Base(DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = name
        id: Mapped[int] = mapped_column(primary_key=True)
        a: Mapped[int]

    pool = make_pool(client_flag=flags)
    engine = create_engine(
        "mysql+forksafe://",
        creator=pool.connect,
        poolclass=NullPool,
        # Under a snapshot MariaDB 11.6 and newer refuse the second write (1020).
        isolation_level="READ COMMITTED",
    )
    with Session(engine) as session:
        session.add(Row(id=1, a=1))
        session.commit()
        session.get_one(Row, 1).a = 2
        with engine.begin() as other:
            other.execute(text(f"UPDATE {name} SET a = 2"))
        session.commit()
    assert engine.dialect.supports_sane_rowcount is bool(flags)


def test_answers_left_unread_do_not_cost_the_connections_of_the_pool(make_pool: MakePool) -> None:
    engine: Engine = create_engine("mysql+forksafe://", creator=make_pool().connect)
    with engine.connect() as connection:
        session = connection.scalar(text("SELECT CONNECTION_ID()"))
        held = connection.connection.dbapi_connection
        assert held is not None
        unread = held.cursor()
        unread.execute("SELECT 1; SELECT 2")
        with pytest.raises(ProgrammingError, match="2014") as caught:
            connection.execute(text("SELECT 3"))
        assert not caught.value.connection_invalidated
        unread.close()
        assert connection.scalar(text("SELECT CONNECTION_ID()")) == session


def test_a_creator_may_put_something_around_the_connection(make_pool: MakePool) -> None:
    class Around:
        """Shows what MySQLdb's connections have too."""

        def __init__(self, inner: forksafe.Connection) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            if name in ("inherited", "probe", "discard", "client_flag"):
                raise AttributeError(name)
            return getattr(self.inner, name)

    pool = make_pool()
    engine = create_engine("mysql+forksafe://", creator=lambda: Around(pool.connect()))
    with engine.connect() as connection:
        assert isinstance(connection.connection.dbapi_connection, Around)
        assert connection.scalar(text("SELECT 1")) == 1
        connection.invalidate()
    engine.dispose()
    assert pool.stats()["in_use"] == 0
