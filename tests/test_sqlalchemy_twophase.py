"""Two-phase transactions through SQLAlchemy: XA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, exc, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from scripts.mariadb_server import Server
from tests.questions import session

pytest_plugins = ("tests.engines",)

MakeEngine = Callable[..., Any]
Table = Callable[..., str]


@pytest.fixture
def rows(make_engine: MakeEngine) -> Callable[[str], list[int]]:
    """`rows(table)`: the keys in it that another session sees."""
    other = make_engine(isolation_level="AUTOCOMMIT")

    def keys(name: str) -> list[int]:
        with other.connect() as connection:
            return list(connection.scalars(text(f"SELECT id FROM {name} ORDER BY id")))

    return keys


def test_a_prepared_transaction_is_committed_or_taken_back(
    make_either_engine: MakeEngine, table: Table, rows: Callable[[str], list[int]]
) -> None:
    name = table()
    with make_either_engine().connect() as connection:
        for key, ending in enumerate(["commit", "rollback", "close", "commit"]):
            transaction = connection.begin_twophase()
            connection.execute(text(f"INSERT INTO {name} VALUES ({key})"))
            transaction.prepare()
            assert key not in rows(name)
            getattr(transaction, ending)()
    assert rows(name) == [0, 3]


def test_one_that_is_not_prepared_is_ended_too(
    make_either_engine: MakeEngine, table: Table, rows: Callable[[str], list[int]]
) -> None:
    name = table()
    with make_either_engine().connect() as connection:
        for key, ending in enumerate(["commit", "rollback"]):
            transaction = connection.begin_twophase()
            connection.execute(text(f"INSERT INTO {name} VALUES ({key})"))
            getattr(transaction, ending)()
    assert rows(name) == [0]


@pytest.mark.parametrize("fails", [False, True])
def test_a_session_on_two_engines_writes_to_both_or_to_neither(
    make_either_engine: MakeEngine,
    make_engine: MakeEngine,
    table: Table,
    rows: Callable[[str], list[int]],
    fails: bool,
) -> None:
    names = table(), table()

    class Base(DeclarativeBase):
        pass

    class One(Base):
        __tablename__ = names[0]
        id: Mapped[int] = mapped_column(primary_key=True)

    class Other(Base):
        __tablename__ = names[1]
        id: Mapped[int] = mapped_column(primary_key=True)

    other = make_engine()
    if fails:
        with other.begin() as connection:
            connection.execute(text(f"INSERT INTO {names[1]} VALUES (7)"))
    with Session(binds={One: make_either_engine(), Other: other}, twophase=True) as orm:
        orm.add_all([One(id=7), Other(id=7)])
        if fails:
            with pytest.raises(exc.IntegrityError):
                orm.commit()
        else:
            orm.commit()
    assert [rows(name) for name in names] == [[] if fails else [7], [7]]


def test_what_was_prepared_outlives_its_session_and_is_recovered(
    make_either_engine: MakeEngine,
    make_engine: MakeEngine,
    table: Table,
    rows: Callable[[str], list[int]],
    kill: Callable[[int], None],
) -> None:
    name = table()
    connection = make_either_engine().connect()
    own = session(connection)
    connection.rollback()
    transaction = connection.begin_twophase()
    connection.execute(text(f"INSERT INTO {name} VALUES (1)"))
    transaction.prepare()
    kill(own)
    connection.invalidate()
    # A server in whose session a transaction could be open refuses to end another's.
    with make_engine(isolation_level="AUTOCOMMIT").connect() as rescuer:
        # Text from MySQL, bytes from MariaDB.
        found = rescuer.recover_twophase()
        assert transaction.xid in found or transaction.xid.encode() in found
        rescuer.exec_driver_sql("XA COMMIT %s", (transaction.xid,))
    assert rows(name) == [1]


@pytest.mark.parametrize("state", ["begun", "ended", "prepared"])
def test_one_that_is_left_behind_does_not_reach_the_next_borrower(
    server: Server,
    make_either_engine: MakeEngine,
    table: Table,
    rows: Callable[[str], list[int]],
    state: str,
) -> None:
    name = table()
    engine = make_either_engine()
    xid = f"'left {name}'"
    connection = engine.raw_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        ((left,),) = cursor.fetchall()
        cursor.execute(f"XA START {xid}")
        cursor.execute(f"INSERT INTO {name} VALUES (1)")
        if state != "begun":
            cursor.execute(f"XA END {xid}")
        if state == "prepared":
            cursor.execute(f"XA PREPARE {xid}")
    connection.close()
    with engine.begin() as connection:
        # MySQL takes a prepared transaction off its session (xa_detach_on_prepare).
        assert session(connection) != left or (state == "prepared" and not server.is_mariadb)
        if state == "prepared":  # to be ended by whom it may concern: that is what it is for
            server.execute_as_root(f"XA ROLLBACK {xid}")
        connection.execute(text(f"INSERT INTO {name} VALUES (2)"))
    assert rows(name) == [2]


def test_a_child_does_not_end_what_its_parent_prepared(
    make_pool: Callable[..., Any],
    table: Table,
    rows: Callable[[str], list[int]],
    in_child: Callable[..., Any],
) -> None:
    name = table()
    engine = create_engine(
        "mysql+forksafe://", creator=make_pool(max_size=1).connect, poolclass=NullPool
    )
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(text(f"INSERT INTO {name} VALUES (1)"))
        transaction.prepare()
        in_child(connection.close, leave="sys.exit")
        transaction.commit()
    assert rows(name) == [1]
