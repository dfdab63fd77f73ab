"""SQLAlchemy reads a schema from the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, inspect, select
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session

from scripts.mariadb_server import Server

pytest_plugins = ("tests.engines",)

SCHEMA = """
CREATE TABLE {database}.reflected_author (
    id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
    name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
        COMMENT 'as ''printed'' 100 %',
    born DATE, grade ENUM('a','b,c','d''e') DEFAULT 'a', flags SET('x','y'), kept BIT(5),
    paid DECIMAL(12,4) DEFAULT 0, at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY by_name (name(20), born)
) ENGINE=InnoDB COMMENT='who writes';
CREATE TABLE {database}.reflected_book (
    id INT PRIMARY KEY AUTO_INCREMENT, author_id BIGINT UNSIGNED,
    pages INT, twice INT AS (pages * 2) STORED,
    CONSTRAINT has_pages CHECK (pages > 0),
    CONSTRAINT written_by FOREIGN KEY (author_id) REFERENCES {database}.reflected_author (id)
        ON DELETE CASCADE
) ENGINE=InnoDB;
CREATE VIEW {database}.reflected_view AS SELECT id, name FROM {database}.reflected_author;
"""
DROP = """
DROP VIEW IF EXISTS {database}.reflected_view;
DROP TABLE IF EXISTS {database}.reflected_book, {database}.reflected_author;
"""


@pytest.fixture
def engine(server: Server, make_either_engine: Callable[..., Any]) -> Iterator[Any]:
    server.execute_as_root((DROP + SCHEMA).format(database=server.database))
    yield make_either_engine()
    server.execute_as_root(DROP.format(database=server.database))


def test_columns_keys_and_comments_are_read(engine: Any) -> None:
    found = inspect(engine)
    columns = {column["name"]: column for column in found.get_columns("reflected_author")}
    types = {name: column["type"] for name, column in columns.items()}
    assert isinstance(types["id"], mysql.BIGINT)
    assert types["id"].unsigned
    assert types["grade"].enums == ["a", "b,c", "d'e"]
    assert types["flags"].values == ("x", "y")
    assert (types["kept"].length, types["at"].fsp, types["name"].length) == (5, 6, 40)
    assert types["name"].collation == "utf8mb4_bin"
    assert columns["name"]["comment"] == "as 'printed' 100 %"
    assert found.get_table_comment("reflected_author") == {"text": "who writes"}
    (index,) = found.get_indexes("reflected_author")
    assert (index["unique"], index["dialect_options"]) == (True, {"mysql_length": {"name": 20}})
    (key,) = found.get_foreign_keys("reflected_book")
    assert (key["name"], key["options"]) == ("written_by", {"ondelete": "CASCADE"})
    (twice,) = [c for c in found.get_columns("reflected_book") if c["name"] == "twice"]
    assert twice["computed"]["persisted"]
    (check,) = found.get_check_constraints("reflected_book")
    assert check["name"] == "has_pages"
    assert "reflected_view" in found.get_view_names()
    assert "reflected_author" in found.get_view_definition("reflected_view")
    assert not found.has_table("reflected_nothing")


def test_a_table_that_was_read_can_be_made_again(engine: Any) -> None:
    metadata = MetaData()
    Table("reflected_book", metadata, autoload_with=engine)
    assert set(metadata.tables) == {"reflected_book", "reflected_author"}
    metadata.drop_all(engine)
    metadata.create_all(engine)
    assert inspect(engine).get_foreign_keys("reflected_book")[0]["name"] == "written_by"


def test_classes_are_made_of_tables(engine: Any) -> None:
    base = automap_base()
    base.prepare(autoload_with=engine, reflection_options={"only": ["reflected_book"]})
    author, book = base.classes.reflected_author, base.classes.reflected_book
    with Session(engine) as orm:
        orm.add(book(pages=3, reflected_author=author(name="x", grade="d'e", flags={"x", "y"})))
        orm.commit()
        found = orm.scalars(select(book)).one()
        assert (found.twice, found.reflected_author.grade) == (6, "d'e")
        assert found.reflected_author.flags == {"x", "y"}
