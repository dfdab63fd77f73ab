"""`OPTIONS["pool"]`: an alias's connections are shared by the threads of a process."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.djangosite.settings import DATABASE, database
from tests.pool_effects import PLAIN, check_hooks, check_workers

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def make_wrapper(server: Server) -> Iterator[Callable[..., Any]]:
    """`make_wrapper(**changes)`: a wrapper of its own alias, its pool closed after the test."""
    from django.db import connections

    made: list[Any] = []

    def make(alias: str = "own", **changes: Any) -> Any:
        wrapper = connections["brief"].copy(alias)
        entry = database(server, **changes)
        wrapper.settings_dict.update(entry)
        made.append(wrapper)
        return wrapper

    yield make
    for wrapper in made:
        wrapper.close()
        wrapper.settings_dict["CONN_MAX_AGE"] = 0
        wrapper.close_pool(force=True)


def ask(wrapper: Any, sql: str = "SELECT CONNECTION_ID()") -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_true_and_a_dict_of_options_make_a_pool(make_wrapper: Callable[..., Any]) -> None:
    import forksafe

    plain = make_wrapper("plain", OPTIONS={"pool": True})
    tuned = make_wrapper("tuned", OPTIONS={"pool": {"max_size": 3, "name": "ours"}})
    assert (ask(plain), ask(tuned)) != (0, 0)
    for wrapper, size, name in ((plain, 10, "plain"), (tuned, 3, "ours")):
        assert isinstance(wrapper.pool, forksafe.Pool)
        stats = wrapper.pool.stats()
        assert (stats["pool_max"], stats["name"], stats["in_use"]) == (size, name, 1)


@pytest.mark.parametrize("effect", PLAIN)
def test_each_option_of_a_pool_does_what_it_says(
    make_wrapper: Callable[..., Any], effect: str
) -> None:
    options, look = PLAIN[effect]
    look(make_wrapper(OPTIONS={"pool": options}).pool)


@pytest.mark.parametrize("check", [check_hooks, check_workers])
def test_callables_of_a_pool_are_called(
    make_wrapper: Callable[..., Any], check: Callable[..., None]
) -> None:
    check(lambda **options: make_wrapper(OPTIONS={"pool": options}).pool)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"max_lifetime": 60}, "psycopg_pool's max_lifetime is called recycle here"),
        ({"pool_size": 5}, "instead of SQLAlchemy's pool_size there is max_size here: pool_size"),
        ({"num_workers": 3}, "psycopg_pool's num_workers is no option here: a forksafe.Pool has"),
        ({"max_sise": 3}, 'unknown option "max_sise"; did you mean "max_size"?'),
        ({"check": "SELECT 1"}, "check must be None or a callable that takes the connection"),
        ({"min_size": 20}, "min_size must be at most max_size, which is 10, not 20"),
    ],
)
def test_a_bad_option_of_a_pool_is_named(
    make_wrapper: Callable[..., Any], options: dict[str, Any], wanted: str
) -> None:
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured) as caught:
        ask(make_wrapper(OPTIONS={"pool": options}))
    assert str(caught.value).startswith(f"The pool of the database 'own': {wanted}")


@pytest.mark.parametrize("pool", [False, True])
def test_user_and_password_may_be_callables(
    server: Server, make_wrapper: Callable[..., Any], pool: bool
) -> None:
    called: list[str] = []

    def user() -> str:
        called.append("user")
        return server.user

    def password() -> tuple[str, float]:
        called.append("password")
        return server.password, 900

    wrapper = make_wrapper(USER=user, PASSWORD=password, OPTIONS={"pool": pool})
    assert ask(wrapper, "SELECT USER()").startswith(f"{server.user}@")
    wrapper.close()
    ask(wrapper)
    assert called == ["user", "password"] * (1 if pool else 2)


@pytest.mark.parametrize("off", [None, False, {}])
def test_without_the_option_there_is_no_pool(make_wrapper: Callable[..., Any], off: Any) -> None:
    wrapper = make_wrapper(OPTIONS={"pool": off})
    ask(wrapper)
    assert wrapper.pool is None
    wrapper.close_pool()


def test_closing_checks_in_and_the_next_statement_checks_out_again() -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    first = ask(wrapper)
    for _ in range(3):
        wrapper.close()
        assert wrapper.pool.stats()["in_use"] == 0
        assert ask(wrapper) == first
    assert wrapper.pool.stats()["connections_num"] == 1


def test_threads_share_the_pool() -> None:
    from django.db import connections

    together = threading.Barrier(4, timeout=10)

    def job(_: int) -> int:
        found = int(ask(connections["pooled"]))
        together.wait()
        connections["pooled"].close()
        return found

    with ThreadPoolExecutor(max_workers=4) as executor:
        at_once = set(executor.map(job, range(4)))
        assert len(at_once) == 4
        assert set(executor.map(job, range(4))) == at_once
    assert connections["pooled"].pool.stats()["connections_num"] == 4


def test_a_thread_that_ends_gives_its_connection_back() -> None:
    from django.db import connections

    gc.disable()  # it would do so in its own time
    try:
        for _ in range(6):  # more than the pool's four
            thread = threading.Thread(target=lambda: ask(connections["pooled"]))
            thread.start()
            thread.join()
        stats = connections["pooled"].pool.stats()
        assert (stats["in_use"], stats["connections_num"]) == (0, 1)
    finally:
        gc.enable()


def test_requests_are_served_by_one_connection_each_in_turn() -> None:
    from django.db import connections
    from django.test import Client

    answers = {Client().get("/session/pooled/").json()["session"] for _ in range(5)}
    assert len(answers) == 1
    assert connections["pooled"].pool.stats()["in_use"] == 1  # the test client keeps it open
    connections["pooled"].close_if_unusable_or_obsolete()
    assert connections["pooled"].pool.stats()["in_use"] == 0


def test_a_full_pool_says_who_has_the_connections(make_wrapper: Callable[..., Any]) -> None:
    from django.db import OperationalError

    options = {"pool": {"max_size": 1, "timeout": 0.1}}
    holder = make_wrapper(OPTIONS=options)
    waiter = make_wrapper(OPTIONS=options)
    ask(holder)
    with pytest.raises(OperationalError, match=r"within 0\.1s.*MainThread"):
        ask(waiter)
    holder.close()
    assert ask(waiter) > 0


def test_persistent_connections_are_refused(make_wrapper: Callable[..., Any]) -> None:
    from django.core.exceptions import ImproperlyConfigured

    for age in (60, None):
        wrapper = make_wrapper(CONN_MAX_AGE=age, OPTIONS={"pool": True})
        with pytest.raises(
            ImproperlyConfigured, match=r"^Pooling doesn't support persistent connections\.$"
        ):
            ask(wrapper)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_sise": 5}, "max_sise.*max_size"),
        ({"max_size": -1}, "max_size.*-1"),
        ({"max_size": "many"}, "max_size.*many"),
        ({"reset": "sometimes"}, "reset.*sometimes"),
        ({"host": "elsewhere"}, "options of the connection: host"),
        ("yes", "True or a dict"),
    ],
)
def test_a_bad_option_is_named(make_wrapper: Callable[..., Any], options: Any, text: str) -> None:
    from django.core.exceptions import ImproperlyConfigured

    wrapper = make_wrapper(OPTIONS={"pool": options})
    for attempt in (lambda: wrapper.pool, lambda: ask(wrapper)):
        with pytest.raises(ImproperlyConfigured, match=text) as caught:
            attempt()
        assert "'own'" in str(caught.value)
        assert "secret" not in str(caught.value)


def test_close_pool_at_a_task_boundary_costs_no_connection() -> None:
    """Celery closes every connection and calls close_pool() before and after each task."""
    from django.db import connections

    with ThreadPoolExecutor(max_workers=1) as executor:
        of_thread = executor.submit(lambda: ask(connections["pooled"])).result()
        sessions = set()
        for _ in range(3):
            connections["pooled"].close()
            connections["pooled"].close_pool()
            sessions.add(ask(connections["pooled"]))
        assert len(sessions) == 1
        assert executor.submit(lambda: ask(connections["pooled"])).result() == of_thread
    assert connections["pooled"].pool.stats()["connections_num"] == 2


@pytest.mark.parametrize("alias", ["default", "pooled"])
@pytest.mark.parametrize("closes", [True, False])
def test_a_descriptor_closed_by_other_code_costs_its_connection_alone(
    alias: str, closes: bool
) -> None:
    """Celery's worker closes the descriptor, also in the process that goes on using it."""
    from django.db import connections

    wrapper = connections[alias]
    first = ask(wrapper)
    os.close(wrapper.connection.fileno())
    with tempfile.TemporaryFile() as stranger:  # likely to get the same number
        if closes:
            wrapper.close()
        assert ask(wrapper) != first
        stranger.write(b"still open")
        stranger.flush()


def test_close_pool_by_force_closes_it_and_the_next_statement_makes_another(
    server: Server,
) -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    first = ask(wrapper)
    old = wrapper.pool
    wrapper.close()
    wrapper.close_pool(force=True)
    assert old.closed
    assert first not in server.session_ids()
    assert ask(wrapper) != first
    assert wrapper.pool is not old


def test_check_out_and_check_in_cost_no_round_trip(server: Server) -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    ask(wrapper)
    before = server.status("Questions")
    look = server.status("Questions") - before  # what a look itself costs
    for _ in range(20):
        wrapper.close()
        ask(wrapper)
    wrapper.close()
    assert server.status("Questions") - before == 2 * look + 20


def test_a_transaction_left_open_is_rolled_back_at_check_in() -> None:
    from django.db import connections

    from tests.djangosite.library.models import Author

    wrapper = connections["pooled"]
    wrapper.set_autocommit(False)
    Author.objects.using("pooled").create(name="taken back")
    wrapper.close()
    assert not Author.objects.using("pooled").exists()
    assert wrapper.get_autocommit()
    assert wrapper.connection.get_autocommit()


def test_closing_inside_atomic_ends_the_transaction_and_the_next_works() -> None:
    from django.db import Error, connections, transaction

    from tests.djangosite.library.models import Author

    with pytest.raises(Error), transaction.atomic(using="pooled"):
        Author.objects.using("pooled").create(name="taken back")
        connections["pooled"].close()
        ask(connections["pooled"])
    with transaction.atomic(using="pooled"):
        Author.objects.using("pooled").create(name="kept")
    assert Author.objects.using("pooled").get().name == "kept"
    assert connections["pooled"].pool.stats()["in_use"] == 1


def test_what_one_borrower_held_is_not_held_against_the_next(
    server: Server, make_wrapper: Callable[..., Any]
) -> None:
    wrapper = make_wrapper(OPTIONS={"pool": {"max_size": 1}})
    ask(wrapper, "SELECT @left := 1")
    wrapper.close()
    doomed = ask(wrapper)
    server.kill_session(doomed)
    while doomed in server.session_ids():
        pass
    assert ask(wrapper) != doomed


def test_a_connection_that_failed_its_health_check_is_not_lent_again(
    make_wrapper: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = make_wrapper(CONN_HEALTH_CHECKS=True, OPTIONS={"pool": True})
    first = ask(wrapper)
    wrapper.health_check_done = False  # another request begins, and has the same connection
    monkeypatch.setattr(wrapper, "is_usable", lambda: False)
    assert ask(wrapper) != first
    stats = wrapper.pool.stats()
    assert (stats["in_use"], stats["pool_size"]) == (1, 1)


def test_a_pool_does_not_outlive_the_settings_it_was_made_of(
    make_wrapper: Callable[..., Any],
) -> None:
    """A test runner points an alias to another database after it has been used."""
    wrapper = make_wrapper(OPTIONS={"pool": True})
    assert ask(wrapper, "SELECT DATABASE()") == DATABASE
    old = wrapper.pool
    wrapper.close()
    wrapper.settings_dict["NAME"] = "information_schema"
    assert ask(wrapper, "SELECT DATABASE()") == "information_schema"
    assert old.closed


def test_the_connection_without_a_database_is_not_pooled() -> None:
    from django.db import connections

    with connections["pooled"]._nodb_cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        assert cursor.fetchone() == (None,)
        assert cursor.db.pool is None


@pytest.mark.parametrize("reset", ["rollback", "session", "none"])
def test_the_isolation_level_holds_whatever_the_reset(
    make_wrapper: Callable[..., Any], server: Server, reset: str
) -> None:
    options = {"isolation_level": "serializable", "pool": {"reset": reset}}
    for more in ({}, {"init_command": "SET @greeting = 'hello'"}):
        wrapper = make_wrapper(f"{reset}{len(more)}", OPTIONS={**options, **more})
        for _ in range(2):
            assert ask(wrapper, f"SELECT @@{server.isolation}") == "SERIALIZABLE"
            wrapper.close()
