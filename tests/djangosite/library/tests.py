"""Django's own kinds of test, run by its own runner in processes of its own."""

from __future__ import annotations

from django.db import connection
from django.test import Client, TestCase, TransactionTestCase

from tests.djangosite.library.models import Author, Book


class InATransaction(TestCase):
    """Each test is rolled back."""

    @classmethod
    def setUpTestData(cls) -> None:
        """One author for every test."""
        cls.author = Author.objects.create(name="Ursula")

    def test_a_row_of_the_class_is_there(self) -> None:
        """The class's savepoint holds."""
        self.author.books.create(title="The Dispossessed")
        self.assertEqual(Book.objects.count(), 1)

    def test_a_row_of_another_test_is_not(self) -> None:
        """The other test was rolled back."""
        self.assertEqual(Book.objects.count(), 0)

    def test_hooks_run_when_they_are_captured(self) -> None:
        """on_commit() in a test that never commits."""
        with self.captureOnCommitCallbacks(execute=True) as hooks:
            Author.objects.create(name="Stanislaw")
            connection.on_commit(lambda: None)
        self.assertEqual(len(hooks), 1)


class OnTheOtherProcess(TestCase):
    """Another class, so that there is something to do for another process."""

    def test_the_database_is_the_process_own(self) -> None:
        """The clone, not the database of the process that forked this one."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT DATABASE()")
            self.assertEqual(cursor.fetchone()[0], connection.settings_dict["NAME"])

    def test_a_request_of_the_test_client_is_in_the_transaction(self) -> None:
        """The page does not close the connection under the test."""
        Author.objects.create(name="Octavia")
        self.assertEqual(Client().get("/session/default/").status_code, 200)
        self.assertEqual(Author.objects.count(), 1)


class Committed(TransactionTestCase):
    """What migrations had written is restored after a test."""

    serialized_rollback = True

    def test_rows_are_committed_and_flushed(self) -> None:
        """Rows of this test are gone in the next."""
        self.assertEqual(Author.objects.count(), 0)
        Author.objects.create(name="Arkady")

    def test_rows_are_flushed_before_the_next(self) -> None:
        """Whichever of the two comes second sees none."""
        self.assertEqual(Author.objects.count(), 0)
        Author.objects.create(name="Boris")
