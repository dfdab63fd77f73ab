"""`OPTIONS["pool"]`: an alias's connections are shared by the threads of a process."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scripts.mariadb_server import Server
from tests.djangosite.queries import answer
from tests.djangosite.settings import DATABASE

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")


def test_closing_checks_in_and_the_next_statement_checks_out_again() -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    first = answer(wrapper)
    for _ in range(3):
        wrapper.close()
        assert wrapper.pool.stats()["in_use"] == 0
        assert answer(wrapper) == first
    assert wrapper.pool.stats()["connections_num"] == 1


def test_threads_share_the_pool() -> None:
    from django.db import connections

    together = threading.Barrier(4, timeout=10)

    def job(_: int) -> int:
        found = int(answer(connections["pooled"]))
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
            thread = threading.Thread(target=lambda: answer(connections["pooled"]))
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
    answer(holder)
    with pytest.raises(OperationalError, match=r"within 0\.1s.*MainThread"):
        answer(waiter)
    holder.close()
    assert answer(waiter) > 0


def test_close_pool_at_a_task_boundary_costs_no_connection() -> None:
    """Celery closes every connection and calls close_pool() before and after each task."""
    from django.db import connections

    with ThreadPoolExecutor(max_workers=1) as executor:
        of_thread = executor.submit(lambda: answer(connections["pooled"])).result()
        sessions = set()
        for _ in range(3):
            connections["pooled"].close()
            connections["pooled"].close_pool()
            sessions.add(answer(connections["pooled"]))
        assert len(sessions) == 1
        assert executor.submit(lambda: answer(connections["pooled"])).result() == of_thread
    assert connections["pooled"].pool.stats()["connections_num"] == 2


@pytest.mark.parametrize("alias", ["default", "pooled"])
@pytest.mark.parametrize("closes", [True, False])
def test_a_descriptor_closed_by_other_code_costs_its_connection_alone(
    alias: str, closes: bool
) -> None:
    """Celery's worker closes the descriptor, also in the process that goes on using it."""
    from django.db import connections

    wrapper = connections[alias]
    first = answer(wrapper)
    os.close(wrapper.connection.fileno())
    with tempfile.TemporaryFile() as stranger:  # likely to get the same number
        if closes:
            wrapper.close()
        assert answer(wrapper) != first
        stranger.write(b"still open")
        stranger.flush()


def test_close_pool_by_force_closes_it_and_the_next_statement_makes_another(
    server: Server,
) -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    first = answer(wrapper)
    old = wrapper.pool
    wrapper.close()
    wrapper.close_pool(force=True)
    assert old.closed
    assert first not in server.session_ids()
    assert answer(wrapper) != first
    assert wrapper.pool is not old


def test_check_out_and_check_in_cost_no_round_trip(server: Server) -> None:
    from django.db import connections

    wrapper = connections["pooled"]
    answer(wrapper)
    before = server.status("Questions")
    look = server.status("Questions") - before  # what a look itself costs
    for _ in range(20):
        wrapper.close()
        answer(wrapper)
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
        answer(connections["pooled"])
    with transaction.atomic(using="pooled"):
        Author.objects.using("pooled").create(name="kept")
    assert Author.objects.using("pooled").get().name == "kept"
    assert connections["pooled"].pool.stats()["in_use"] == 1


def test_what_one_borrower_held_is_not_held_against_the_next(
    server: Server, make_wrapper: Callable[..., Any]
) -> None:
    wrapper = make_wrapper(OPTIONS={"pool": {"max_size": 1}})
    answer(wrapper, "SELECT @left := 1")
    wrapper.close()
    doomed = answer(wrapper)
    server.kill_session(doomed)
    while doomed in server.session_ids():
        pass
    assert answer(wrapper) != doomed


def test_a_connection_that_failed_its_health_check_is_not_lent_again(
    make_wrapper: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = make_wrapper(CONN_HEALTH_CHECKS=True, OPTIONS={"pool": True})
    first = answer(wrapper)
    wrapper.health_check_done = False  # another request begins, and has the same connection
    monkeypatch.setattr(wrapper, "is_usable", lambda: False)
    assert answer(wrapper) != first
    stats = wrapper.pool.stats()
    assert (stats["in_use"], stats["pool_size"]) == (1, 1)


def test_a_pool_does_not_outlive_the_settings_it_was_made_of(
    make_wrapper: Callable[..., Any],
) -> None:
    """A test runner points an alias to another database after it has been used."""
    wrapper = make_wrapper(OPTIONS={"pool": True})
    assert answer(wrapper, "SELECT DATABASE()") == DATABASE
    old = wrapper.pool
    wrapper.close()
    wrapper.settings_dict["NAME"] = "information_schema"
    assert answer(wrapper, "SELECT DATABASE()") == "information_schema"
    assert old.closed


def test_the_connection_without_a_database_is_not_pooled() -> None:
    from django.db import connections

    with connections["pooled"]._nodb_cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        assert cursor.fetchone() == (None,)
        assert cursor.db.pool is None
