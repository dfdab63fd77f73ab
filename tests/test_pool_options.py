"""Each option of a pool does what it says, however it is given; bad and foreign ones are named."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forksafe
from scripts.mariadb_server import Server
from tests.pool_effects import PLAIN, Called, check_hooks, check_workers, one, session

MakePool = Callable[..., forksafe.Pool]
NOWHERE = {"host": "127.0.0.1", "port": 1}


@pytest.mark.parametrize("effect", PLAIN)
def test_by_keyword(make_pool: MakePool, effect: str) -> None:
    options, look = PLAIN[effect]
    look(make_pool(**options))


@pytest.mark.parametrize("effect", PLAIN)
def test_by_url(server: Server, effect: str) -> None:
    options, look = PLAIN[effect]
    with forksafe.Pool(server.url(**options)) as pool:
        look(pool)


def test_a_keyword_wins_over_the_url(server: Server) -> None:
    with forksafe.Pool(server.url(max_size=3, reset="session"), max_size=4) as pool:
        assert pool.stats()["pool_max"] == 4


def test_a_callable_for_reset_wins_over_the_urls_word(server: Server) -> None:
    reset = Called()
    with forksafe.Pool(server.url(reset="session"), reset=reset) as pool:
        assert one(pool, "SELECT @tenant := 7") == 7
        assert one(pool, "SELECT @tenant") == 7, "it was rolled back, not renewed"
    assert len(reset.with_) == 2


def test_none_stands_for_the_default_or_for_ever(server: Server) -> None:
    names = ("timeout", "recycle", "max_idle", "pre_ping", "ping_after", "leak_after", "workers")
    none: Any = dict.fromkeys((*names, "configure", "check", "on_event", "name"))
    with forksafe.Pool(server.url(), **none) as pool:
        session(pool)
        stats = pool.stats()
    assert (stats["idle_limit"], stats["idle_limit_source"]) == (None, "max_idle")
    assert stats["name"].startswith("pool-")


def test_the_callables(make_pool: MakePool) -> None:
    check_hooks(make_pool)


def test_workers(make_pool: MakePool) -> None:
    check_workers(make_pool)


def test_events_are_logged_unless_somebody_else_is_told(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "forksafe.pool"):
        for listener in (None, lambda event: None):
            with forksafe.Pool(server.url(), on_event=listener) as pool:
                session(pool)
        assert caplog.records == []
        with forksafe.Pool(server.url(), name="told") as pool:
            session(pool)
    assert "told" in caplog.text


@pytest.mark.parametrize("name", ["configure", "check", "on_event"])
def test_a_callable_cannot_be_in_a_url(server: Server, name: str) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        forksafe.Pool(server.url(**{name: "print"}))
    assert caught.value.args[1] == f"{name} is a callable, which a URL cannot hold: a keyword can"


BAD = [
    ({"min_size": -1}, "min_size must be a whole number of 0 or more, not -1"),
    ({"min_size": 3, "max_size": 2}, "min_size must be at most max_size, which is 2, not 3"),
    ({"max_size": 0}, "max_size must be at least 1, not 0"),
    ({"max_size": None}, "max_size must be a whole number of 0 or more, not None"),
    ({"max_size": 2.5}, "max_size must be a whole number of 0 or more, not 2.5"),
    ({"max_size": "many"}, 'max_size must be a whole number of 0 or more, not "many"'),
    ({"timeout": 0}, "timeout must be a number of seconds above 0, not 0"),
    ({"timeout": "soon"}, 'timeout must be a number of seconds above 0, not "soon"'),
    ({"max_waiting": 1.5}, "max_waiting must be a whole number of 0 or more, not 1.5"),
    ({"recycle": -1}, "recycle must be a number of seconds above 0, not -1"),
    ({"max_idle": 0}, "max_idle must be a number of seconds above 0, not 0"),
    ({"pre_ping": "maybe"}, 'pre_ping must be true or false, not "maybe"'),
    ({"ping_after": -1}, "ping_after must be a number of seconds, 0 or more, not -1"),
    ({"leak_after": 0}, "leak_after must be a number of seconds above 0, not 0"),
    ({"workers": 0}, "workers must be at least 1, not 0"),
    ({"workers": "few"}, 'workers must be a whole number of 0 or more, not "few"'),
    ({"name": 5}, "name must be text"),
    ({"name": ""}, "name must not be empty"),
    (
        {"reset": "commit"},
        "reset must be 'rollback', 'session', 'none' or a callable that takes the connection, not"
        ' "commit"',
    ),
    (
        {"reset": True},
        "reset must be 'rollback', 'session', 'none' or a callable that takes the connection",
    ),
    ({"configure": "x"}, "configure must be None or a callable that takes the connection, not a s"),
    ({"check": True}, "check must be None or a callable that takes the connection, not a bool"),
    ({"on_event": 5}, "on_event must be None or a callable that takes the event, not a int"),
]


@pytest.mark.parametrize(("options", "wanted"), BAD)
def test_a_bad_value_is_named_with_what_is_wanted(options: dict[str, Any], wanted: str) -> None:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        forksafe.Pool(**NOWHERE, **options)
    assert caught.value.args[0] == 2000
    assert caught.value.args[1].startswith(wanted)


# psycopg_pool, SQLAlchemy, HikariCP, DBUtils, MySQL Connector/Python, MariaDB Connector/Python,
# django-db-connection-pool, django-mysql-geventpool, aiomysql, asyncmy: a name, and the option that
# the answer must speak of. None: there is none.
FOREIGN = {
    **{"max_lifetime": "recycle", "conninfo": None, "kwargs": None, "connection_class": None},
    **{"open": None, "close_returns": None, "num_workers": None, "reconnect_timeout": None},
    **{"reconnect_failed": "on_event"},
    **{"pool_size": "max_size", "max_overflow": "max_size", "pool_timeout": "timeout"},
    **{"pool_recycle": "recycle", "pool_pre_ping": "pre_ping", "pool_use_lifo": None},
    **{"use_lifo": None, "pool_reset_on_return": "reset", "reset_on_return": "reset"},
    **{"pool_logging_name": "name", "logging_name": "name", "pool_events": "on_event"},
    **{"events": "on_event", "echo_pool": None, "echo": None, "creator": None, "poolclass": None},
    **{"dialect": None, "maximumPoolSize": "max_size", "minimumIdle": "min_size"},
    **{"connectionTimeout": "timeout", "idleTimeout": "max_idle", "maxLifetime": "recycle"},
    **{"leakDetectionThreshold": "leak_after", "aliveBypassWindowMs": "ping_after"},
    **{"validationTimeout": "timeout", "keepaliveTime": None, "initializationFailTimeout": None},
    **{"connectionTestQuery": "check", "connectionInitSql": "init_command"},
    **{"transactionIsolation": "init_command", "readOnly": "init_command"},
    **{"autoCommit": "autocommit", "username": "user", "catalog": "database"},
    **{"schema": "database", "jdbcUrl": None, "poolName": "name", "allowPoolSuspension": None},
    **{"isolateInternalQueries": None, "exceptionOverrideClassName": None, "registerMbeans": None},
    **{"metricRegistry": None, "metricsTrackerFactory": None, "healthCheckRegistry": None},
    **{"threadFactory": None, "scheduledExecutor": None},
    **{"mincached": "min_size", "maxcached": "max_idle", "maxconnections": "max_size"},
    **{"maxshared": None, "blocking": "timeout", "maxusage": "recycle"},
    **{"setsession": "init_command", "failures": None, "ping": "pre_ping"},
    **{"pool_name": "name", "pool_reset_session": "reset", "pool_reset_connection": "reset"},
    **{"pool_validation_interval": "ping_after"},
    **{"POOL_SIZE": "max_size", "MAX_OVERFLOW": "max_size", "TIMEOUT": "timeout"},
    **{"RECYCLE": "recycle", "PRE_PING": "pre_ping", "ECHO": None, "MAX_CONNS": "max_size"},
    **{"MAX_LIFETIME": "recycle", "minsize": "min_size", "maxsize": "max_size"},
    **{"password_creator": "password"},
}
OF_CONNECTIONS = {"init_command", "autocommit", "user", "database", "password"}


def answer(opener: Callable[..., Any], *url: str, **options: Any) -> str:
    with pytest.raises(forksafe.ProgrammingError) as caught:
        opener(*url, **options)
    number, text = caught.value.args
    assert number == 2000
    return str(text)


@pytest.mark.parametrize(("name", "own"), FOREIGN.items())
def test_what_others_call_it_is_answered_with_what_it_is_here(name: str, own: str | None) -> None:
    to_pool = answer(forksafe.Pool, **NOWHERE, **{name: 1})
    assert f"'s {name} " in to_pool
    if own is None:
        assert f"'s {name} is no option here: " in to_pool
    else:
        assert f" {own} here" in to_pool
    assert answer(forksafe.Pool, f"mysql://u:p@localhost/?{name}=1") == to_pool
    to_connect = answer(forksafe.connect, **NOWHERE, **{name: 1})
    assert answer(forksafe.connect, f"mysql://u:p@localhost/?{name}=1") == to_connect
    if own is None or own in OF_CONNECTIONS:
        assert to_connect == to_pool
    else:
        where = f"{own} is an option of forksafe.Pool, not of a single connection"
        assert to_connect == f"{to_pool}; {where}"


def test_a_unit_that_differs_is_told() -> None:
    told = answer(forksafe.Pool, **NOWHERE, idleTimeout=600_000)
    assert told == (
        "instead of HikariCP's idleTimeout there is max_idle here: in seconds, not in milliseconds"
    )
    told = answer(forksafe.Pool, **NOWHERE, pool_size=5, max_overflow=10)
    assert "max_size here: pool_size and max_overflow together" in told


def test_no_name_of_another_pools_is_one_of_ours() -> None:
    """Else it would be refused where it is right."""
    stub = Path(forksafe.__file__).with_name("_forksafe.pyi").read_text()
    ours = stub.split("class _ConnectOptions", 1)[1].split("class _Discards", 1)[0]
    assert [name for name in FOREIGN if f"\n    {name}: " in ours] == []


def test_every_option_of_sqlalchemys_own_pool_is_known_or_answered() -> None:
    pool = pytest.importorskip("sqlalchemy.pool")
    theirs = [*inspect.signature(pool.QueuePool.__init__).parameters.values()]
    theirs += inspect.signature(pool.Pool.__init__).parameters.values()
    names = {each.name for each in theirs if each.kind is not each.VAR_KEYWORD}
    private = {name for name in names if name == "self" or name.startswith("_")}
    for name in names - private - {"timeout", "recycle", "pre_ping"}:
        assert f"SQLAlchemy's {name} " in answer(forksafe.Pool, **NOWHERE, **{name: 1})


@pytest.mark.parametrize("name", ["configure", "check", "reset", "on_event", "min_size", "workers"])
@pytest.mark.parametrize("value", [5, print])
def test_a_single_connection_has_no_options_of_a_pool(name: str, value: Any) -> None:
    said = answer(forksafe.connect, **NOWHERE, **{name: value})
    assert said == f"{name} is an option of forksafe.Pool, not of a single connection"
