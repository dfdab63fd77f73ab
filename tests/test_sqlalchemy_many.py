"""Many rows at once through SQLAlchemy: executemany, insertmanyvalues, bulk work of the ORM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    exc,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.mysql import insert as upsert
from sqlalchemy.orm import Session, registry

from scripts.mariadb_server import Server

pytest_plugins = ("tests.engines",)

MakeEngine = Callable[..., Any]


@pytest.fixture
def engine(make_either_engine: MakeEngine) -> Any:
    return make_either_engine()


@pytest.fixture
def things(engine: Any) -> Iterator[Table]:
    """A table with a key that the server counts."""
    table = Table(
        "sqlalchemy_things",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("name", String(40), unique=True),
        Column("a", Integer, server_default="7"),
    )
    table.metadata.drop_all(engine)
    table.metadata.create_all(engine)
    yield table
    table.metadata.drop_all(engine)


def names(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"name": f"% ü {number}"} for number in range(first, first + count)]


def test_a_thousand_rows_are_one_statement(server: Server, engine: Any, things: Table) -> None:
    with engine.begin() as connection:
        before = server.status("Com_insert")
        assert connection.execute(insert(things), names(1000)).rowcount == 1000
        assert server.status("Com_insert") - before == 1
        assert connection.scalar(select(func.count()).select_from(things)) == 1000


def test_keys_that_the_server_gave_come_back_in_order(engine: Any, things: Table) -> None:
    if not engine.dialect.insert_returning:
        pytest.skip("this server has no INSERT … RETURNING")
    with engine.begin() as connection:
        statement = insert(things).returning(
            things.c.id, things.c.name, sort_by_parameter_order=True
        )
        found = connection.execute(statement, names(2500)).all()
        assert [row.name for row in found] == [row["name"] for row in names(2500)]
        assert [row.id for row in found] == list(range(1, 2501))


def test_an_update_of_many_counts_what_it_found(engine: Any, things: Table) -> None:
    with engine.begin() as connection:
        connection.execute(insert(things), names(3))
        statement = update(things).where(things.c.id == bindparam("key")).values(a=bindparam("new"))
        given = [{"key": key, "new": 7} for key in (1, 2, 3, 99)]
        assert connection.execute(statement, given).rowcount == 3  # though nothing changes
        gone = delete(things).where(things.c.id == bindparam("key"))
        assert connection.execute(gone, [{"key": 1}, {"key": 99}]).rowcount == 1


def test_one_row_that_is_refused_undoes_what_went_before(engine: Any, things: Table) -> None:
    with engine.connect() as connection:
        with pytest.raises(exc.IntegrityError, match="1062"), connection.begin():
            connection.execute(insert(things), [*names(5), *names(1)])
        assert connection.scalar(select(func.count()).select_from(things)) == 0


def test_many_rows_replace_what_is_there(engine: Any, things: Table) -> None:
    with engine.begin() as connection:
        connection.execute(insert(things), names(3))
        statement = upsert(things)
        statement = statement.on_duplicate_key_update(a=statement.inserted.a)
        connection.execute(statement, [{**row, "a": 9} for row in names(5)])
        found = connection.execute(select(things.c.a, func.count()).group_by(things.c.a)).all()
        assert found == [(9, 5)]


def test_the_orm_adds_changes_and_removes_many(engine: Any, things: Table) -> None:
    class Thing:
        pass

    registry().map_imperatively(Thing, things)

    def make(given: dict[str, Any]) -> Any:
        thing: Any = Thing()
        thing.name = given["name"]
        return thing

    with Session(engine) as orm:
        made = [make(given) for given in names(1200)]
        orm.add_all(made)
        orm.commit()
        assert [thing.id for thing in made] == list(range(1, 1201))
        assert {thing.a for thing in made} == {7}  # of the server's default
        for thing in made[:100]:
            thing.a = 8
        for thing in made[1100:]:
            orm.delete(thing)
        orm.commit()
        orm.execute(insert(Thing), names(300, first=5000))
        orm.execute(update(Thing), [{"id": key, "a": 10} for key in range(1, 51)])
        orm.commit()
        found = orm.execute(select(things.c.a, func.count()).group_by(things.c.a)).all()
        assert sorted(found) == [(7, 1300), (8, 50), (10, 50)]


def test_a_driver_statement_takes_many(engine: Any, things: Table) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO sqlalchemy_things (name) VALUES (%s)", [("a",), ("100 %",)]
        )
        found = connection.execute(text("SELECT name FROM sqlalchemy_things WHERE name LIKE '%%'"))
        assert sorted(found.scalars()) == ["100 %", "a"]
