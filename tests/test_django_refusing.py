"""What must not heal in silence: a transaction, what a session held, a statement on its way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from scripts.mariadb_server import Server
from tests.credentials import Account
from tests.djangosite.queries import ask, session

pytest_plugins = ("tests.djangosite.fixtures", "tests.credential_fixtures")
pytestmark = pytest.mark.usefixtures("site")

# Each leaves something in the session that a new one would not have.
HELD = {
    "GET_LOCK": "SELECT GET_LOCK('a job of ours', 1)",
    "TEMPORARY TABLE": "CREATE TEMPORARY TABLE scratch (id INT)",
    "user variables": "SET @tenant = 7",
    "LOCK TABLES": "LOCK TABLES library_author READ",
    "an open transaction": "START TRANSACTION WITH CONSISTENT SNAPSHOT",
}


@pytest.mark.parametrize("alias", ["default", "pooled"])
def test_inside_atomic_there_is_one_clear_error_and_the_next_transaction_works(
    alias: str, kill: Callable[..., int]
) -> None:
    from django.db import OperationalError, connections, transaction

    from tests.djangosite.library.models import Author

    authors = Author.objects.using(alias)
    ran: list[str] = []
    with pytest.raises(OperationalError) as caught, transaction.atomic(using=alias):
        authors.create(name="lost")
        transaction.on_commit(lambda: ran.append("never"), using=alias)
        kill(alias)
        authors.create(name="never sent")
    assert caught.value.args[0] in (2006, 2013)
    with transaction.atomic(using=alias):
        authors.create(name="kept")
    assert [author.name for author in authors.all()] == ["kept"]
    assert (ran, connections[alias].get_autocommit()) == ([], True)


def test_a_session_of_another_user_is_not_replaced_by_one_of_ours(
    server: Server, account: Account, kill: Callable[..., int]
) -> None:
    from django.db import OperationalError, connection

    connection.ensure_connection()
    connection.connection.change_user(account.user, account.password, server.database)
    kill()
    with pytest.raises(OperationalError, match="change_user"):
        ask("default", "SELECT 1")
    connection.close()


def test_a_transaction_whose_session_dies_before_its_end_is_not_committed(
    kill: Callable[..., int],
) -> None:
    from django.db import OperationalError, transaction

    from tests.djangosite.library.models import Author

    with pytest.raises(OperationalError) as caught, transaction.atomic():
        Author.objects.create(name="lost")
        with transaction.atomic():
            Author.objects.create(name="lost too")
        kill()
    assert caught.value.args[0] in (2006, 2013)
    assert not Author.objects.exists()


@pytest.mark.parametrize("alias", ["default", "pooled"])
@pytest.mark.parametrize("held", HELD)
def test_what_would_vanish_with_the_session_is_told_once(
    kill: Callable[..., int], held: str, alias: str
) -> None:
    from django.db import OperationalError, connections

    with connections[alias].cursor() as cursor:
        cursor.execute(HELD[held])
        doomed = kill(alias)
        with pytest.raises(OperationalError, match=held) as caught:
            cursor.execute("SELECT 1")
        assert caught.value.args[0] == 2006
        cursor.execute("SELECT CONNECTION_ID()")
        assert cursor.fetchone()[0] != doomed
    kill(alias)
    session(alias)


def test_a_transaction_by_hand_fails_until_it_is_rolled_back(kill: Callable[..., int]) -> None:
    from django.db import OperationalError, connection, transaction

    from tests.djangosite.library.models import Author

    transaction.set_autocommit(False)
    Author.objects.create(name="lost")
    kill()
    for _ in range(2):
        with pytest.raises(OperationalError):
            Author.objects.create(name="never sent")
    with pytest.raises(OperationalError):
        transaction.commit()
    transaction.rollback()
    Author.objects.create(name="taken back")
    transaction.rollback()
    assert connection.connection.get_autocommit() is False
    transaction.commit()
    kill()
    Author.objects.create(name="kept")  # nothing had been begun
    transaction.commit()
    transaction.set_autocommit(True)
    assert [author.name for author in Author.objects.all()] == ["kept"]


def test_a_statement_that_was_on_its_way_is_not_sent_again(server: Server) -> None:
    from django.db import OperationalError, connection

    with connection.cursor() as cursor:
        doomed = session()
        killer = threading.Timer(0.3, lambda: server.kill_session(doomed))
        killer.start()
        with pytest.raises(OperationalError) as caught:
            cursor.execute("INSERT INTO library_author (name) SELECT CONCAT('a', SLEEP(2))")
        killer.join()
        assert caught.value.args[0] == 2013
        # MySQL takes the row of a statement whose SLEEP was cut short.
        cursor.execute("SELECT COUNT(*) FROM library_author WHERE name = 'a0'")
        assert cursor.fetchone() == (0,)


def test_a_request_does_not_hide_what_vanished_between_two(kill: Callable[..., int]) -> None:
    from django.db import OperationalError, close_old_connections

    ask("default", HELD["GET_LOCK"])
    kill()
    close_old_connections()
    with pytest.raises(OperationalError, match="GET_LOCK"):
        session()
    session()
