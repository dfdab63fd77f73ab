"""A held connection that died idle is replaced before the next statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scripts.mariadb_server import Server
from scripts.throwaway import Throwaway
from tests.djangosite.queries import ask, session
from tests.proxy import FaultProxy

pytest_plugins = ("tests.djangosite.fixtures",)
pytestmark = pytest.mark.usefixtures("site")


def in_main_thread(job: Callable[[], Any]) -> Any:
    return job()


def in_thread(job: Callable[[], Any]) -> Any:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(job()))
    thread.start()
    thread.join()
    return answers[0]


def in_executor(job: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(job).result()


@pytest.mark.slow
@pytest.mark.parametrize("alias", ["default", "brief", "pooled", "checked"])
@pytest.mark.parametrize("run", [in_main_thread, in_thread, in_executor])
def test_a_job_that_sleeps_past_wait_timeout_sees_no_error(
    server: Server, run: Callable[..., Any], alias: str
) -> None:
    from django.db import connections, transaction

    from tests.djangosite.library.models import Author

    def job() -> list[int]:
        connections[alias].close()  # it may be older than the time-out
        sessions = []
        for name in ("before", "after", "later"):
            sessions.append(session(alias))
            Author.objects.using(alias).create(name=name)
            time.sleep(1.7 if name == "before" else 0)
            if name == "after":
                with transaction.atomic(using=alias):
                    Author.objects.using(alias).filter(name="before").update(name="earlier")
        connections[alias].close()
        return sessions

    with server.variables(wait_timeout=1):
        before, after, later = run(job)
    assert before != after
    assert after == later
    found = Author.objects.order_by("pk").values_list("name", flat=True)
    assert list(found) == ["earlier", "after", "later"]


def test_a_session_ended_by_the_server_is_replaced_on_every_transport(
    transport: str, kill: Callable[..., int]
) -> None:
    from django.db import transaction

    from tests.djangosite.library.models import Author

    kill(transport)
    Author.objects.using(transport).create(name="Ursula")
    kill(transport)
    with transaction.atomic(using=transport):
        assert Author.objects.using(transport).select_for_update().get().name == "Ursula"


def test_a_cursor_that_is_kept_follows_the_connection(kill: Callable[..., int]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        kill()
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone()[0] == session()
        kill()
        session()  # replaced by way of another cursor
        cursor.executemany("INSERT INTO library_author (name) VALUES (%s)", [("a",), ("b",)])
        cursor.execute("SELECT CONNECTION_ID(), COUNT(*) FROM library_author")
        assert cursor.fetchone() == (session(), 2)


def test_a_cursor_ends_with_the_connection_that_the_application_closes() -> None:
    from django.db import OperationalError, connection

    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    connection.close()
    session()
    with pytest.raises(OperationalError, match="2006"):
        cursor.execute("SELECT 1")


def test_a_closed_cursor_stays_closed(kill: Callable[..., int]) -> None:
    from django.db import Error, connection

    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    cursor.close()
    kill()
    session()
    with pytest.raises(Error):
        cursor.execute("SELECT 1")


def test_a_session_is_set_up_again_by_the_receivers_of_connection_created(
    kill: Callable[..., int],
) -> None:
    from django.db.backends.signals import connection_created

    def set_tenant(connection: Any, **_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET @tenant = 7")
            cursor.execute("SET SESSION lock_wait_timeout = 17")

    connection_created.connect(set_tenant)
    try:
        from django.db import connection

        connection.close()
        for _ in range(2):
            kill()
            assert ask("default", "SELECT @@lock_wait_timeout") == 17
        assert ask("default", "SELECT @tenant") == 7
    finally:
        connection_created.disconnect(set_tenant)


def test_the_end_of_a_request_closes_what_died_without_opening_another(
    kill: Callable[..., int],
) -> None:
    from django.db import close_old_connections, connection

    kill()
    close_old_connections()
    assert connection.connection is None


def test_health_checks_find_a_silent_network(proxy: FaultProxy) -> None:
    from django.db import connections

    wrapper = connections["checked"].copy("proxied")
    wrapper.settings_dict.update(HOST=proxy.host, PORT=proxy.port)
    wrapper.settings_dict["OPTIONS"]["read_timeout"] = 1
    connections["proxied"] = wrapper
    try:
        first = session("proxied")
        wrapper.close_if_unusable_or_obsolete()  # a request begins
        proxy.swallow()
        assert session("proxied") != first
    finally:
        wrapper.close()
        del connections["proxied"]


def test_looking_at_the_socket_costs_no_round_trip(server: Server) -> None:
    session()
    before = server.status("Questions")
    asked = server.status("Questions") - before  # by the two looks themselves
    for _ in range(50):
        session()
    assert server.status("Questions") - before == 2 * asked + 50


def test_a_server_that_is_down_is_told_and_found_again(
    controlled_server: Throwaway,
) -> None:
    from django.db import OperationalError, connection

    session()
    controlled_server.stop()
    for _ in range(2):
        with pytest.raises(OperationalError) as caught:
            session()
        assert caught.value.args[0] in (2002, 2003)
        assert connection.connection is None
    controlled_server.start()
    assert session() > 0


def test_a_server_that_hangs_up_at_once_is_not_asked_for_ever(proxy: FaultProxy) -> None:
    from django.db import OperationalError, connections

    wrapper = connections["default"].copy("hung up")
    wrapper.settings_dict.update(HOST=proxy.host, PORT=proxy.port)
    proxy.cut(120)
    with pytest.raises(OperationalError):
        wrapper.ensure_connection()
    assert wrapper.connection is None
    assert proxy.stats()["total"] <= 2
