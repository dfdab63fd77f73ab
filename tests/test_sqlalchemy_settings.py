"""The settings that applications give to create_engine(), by hand or by Flask-SQLAlchemy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event, exc, text
from sqlalchemy.pool import NullPool, QueuePool, SingletonThreadPool, StaticPool

from forksafe.constants import CLIENT
from scripts.mariadb_server import Server
from tests.questions import session

pytest_plugins = ("tests.engines",)

MakeEngine = Callable[..., Any]
Kill = Callable[[int], None]

#: What guides for MySQL tell to put into SQLALCHEMY_ENGINE_OPTIONS.
USUAL = {
    "pool_pre_ping": True,
    "pool_recycle": 280,
    "pool_size": 5,
    "max_overflow": 2,
    "pool_timeout": 10,
    "pool_use_lifo": True,
    "echo": False,
    "connect_args": {"connect_timeout": 5, "charset": "utf8mb4", "read_timeout": 30},
}


def test_the_usual_engine_options_are_taken(make_engine: MakeEngine, kill: Kill) -> None:
    engine = make_engine(**USUAL)
    with engine.connect() as connection:
        own = session(connection)
        assert connection.connection.dbapi_connection.character_set_name() == "utf8mb4"
    kill(own)
    with engine.connect() as connection:
        assert session(connection) != own


def test_flask_sqlalchemy_works_with_its_own_defaults(server: Server) -> None:
    import flask
    import flask_sqlalchemy

    app = flask.Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = server.url(scheme="mysql+forksafe")
    app.config["SQLALCHEMY_BINDS"] = {
        "other": {"url": server.url(scheme="mysql+forksafe"), **USUAL, "pool_size": 1}
    }
    database = flask_sqlalchemy.SQLAlchemy(app)

    class Book(database.Model):  # type: ignore[name-defined,misc]
        __tablename__ = "flask_book"
        id = database.Column(database.Integer, primary_key=True)
        title = database.Column(database.String(80))

    with app.app_context():
        assert database.engine.url.query["charset"] == "utf8mb4"
        assert database.engine.pool._recycle == 7200
        database.drop_all()
        database.create_all()
        try:
            database.session.add(Book(title="ü 🐍"))
            database.session.commit()
            found = database.paginate(database.select(Book), per_page=1)
            assert [book.title for book in found.items] == ["ü 🐍"]
            assert session(database.engines["other"].connect()) > 0
        finally:
            database.session.remove()
            database.drop_all()
            for engine in database.engines.values():
                engine.dispose()


def test_a_connection_older_than_pool_recycle_is_replaced(make_engine: MakeEngine) -> None:
    engine = make_engine(pool_size=1, max_overflow=0, pool_recycle=60)
    with engine.connect() as connection:
        own = session(connection)
    with engine.connect() as connection:
        assert session(connection) == own
        connection.connection._connection_record.starttime -= 61
    with engine.connect() as connection:
        assert session(connection) != own


def test_pool_timeout_is_sqlalchemys(make_engine: MakeEngine) -> None:
    engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect(), pytest.raises(exc.TimeoutError, match="size 1 overflow 0 reached"):
        engine.connect()


@pytest.mark.parametrize(
    ("on_return", "kept"), [("rollback", []), ("commit", [1]), (None, [1])], ids=str
)
def test_pool_reset_on_return_ends_the_transaction(
    make_engine: MakeEngine, table: Callable[..., str], on_return: str | None, kept: list[int]
) -> None:
    name = table()
    engine = make_engine(pool_size=1, max_overflow=0, pool_reset_on_return=on_return)
    raw = engine.raw_connection()
    own = raw.dbapi_connection.thread_id()
    raw.cursor().execute(f"INSERT INTO {name} VALUES (1)")
    raw.close()
    with engine.connect() as connection:
        assert session(connection) == own
        assert list(connection.scalars(text(f"SELECT id FROM {name}"))) == kept


def test_pre_ping_finds_what_died_while_it_was_held(make_engine: MakeEngine, kill: Kill) -> None:
    engine = make_engine(pool_size=1, max_overflow=0, pool_pre_ping=True)
    with engine.connect() as connection:
        doomed = session(connection)
        kill(doomed)
        with pytest.raises(exc.OperationalError) as caught:
            session(connection)
        assert caught.value.connection_invalidated
        connection.rollback()
        assert session(connection) != doomed


def test_a_creator_with_pre_ping_gets_connections_that_answer(
    make_pool: Callable[..., Any], kill: Kill
) -> None:
    pool = make_pool(max_size=2)
    engine = create_engine("mysql+forksafe://", creator=pool.connect, pool_pre_ping=True)
    for _ in range(3):
        with engine.connect() as connection:
            doomed = session(connection)
        kill(doomed)
    with engine.connect() as connection:
        assert session(connection) != doomed
    engine.dispose()
    assert pool.stats()["in_use"] == 0


@pytest.mark.parametrize("poolclass", [QueuePool, NullPool, StaticPool, SingletonThreadPool])
def test_every_pool_of_sqlalchemy_works(make_engine: MakeEngine, poolclass: type) -> None:
    engine = make_engine(poolclass=poolclass)
    for _ in range(3):
        with engine.connect() as connection:
            assert session(connection)


def test_an_invalidated_connection_is_not_lent_again(make_either_engine: MakeEngine) -> None:
    engine = make_either_engine()
    for soft in (False, True):
        with engine.connect() as connection:
            own = session(connection)
            if soft:
                connection.connection.invalidate(soft=True)
            else:
                connection.invalidate()
                connection.rollback()
                assert session(connection) != own
                own = session(connection)
        with engine.connect() as connection:
            assert session(connection) == own or soft


def test_echo_shows_statements_and_no_password(
    server: Server, make_engine: MakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "sqlalchemy"):
        engine = make_engine(echo_pool="debug", echo=True)
        with engine.connect() as connection:
            session(connection)
        engine.dispose()
    assert "SELECT CONNECTION_ID()" in caplog.text
    assert "forksafe.Connection" in caplog.text
    assert server.password not in caplog.text
    assert server.password not in repr(engine)


def test_a_url_made_of_parts_takes_any_password(server: Server) -> None:
    from sqlalchemy import URL

    url = URL.create(
        "mysql+forksafe",
        username="nobody'@%",
        password="p@ss/w:rd%ü?#",
        host=server.host,
        port=server.port,
        query={"ssl_mode": "DISABLED", "get_server_public_key": "yes"},
    )
    engine = create_engine(url)
    seen = []
    event.listen(engine, "do_connect", lambda *given: seen.append(given[-1]))
    with pytest.raises(exc.OperationalError, match="1045"):
        engine.connect()
    assert seen[0]["password"] == "p@ss/w:rd%ü?#"


@pytest.mark.parametrize("flags", ["INTERACTIVE", "INTERACTIVE&client_flag=IGNORE_SPACE", "1024"])
def test_flags_of_a_url_may_be_names(server: Server, flags: str) -> None:
    url = server.url(scheme="mysql+forksafe")
    engine = create_engine(f"{url}{'&' if '?' in url else '?'}client_flag={flags}")
    with engine.connect() as connection:
        held: Any = connection.connection.dbapi_connection
        asked = CLIENT.INTERACTIVE | CLIENT.FOUND_ROWS
        assert held.client_flag & asked == asked
    engine.dispose()
