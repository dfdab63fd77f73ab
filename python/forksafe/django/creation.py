"""Databases for test runners."""

from __future__ import annotations

from django.db.backends.mysql import creation


class DatabaseCreation(creation.DatabaseCreation):
    """Django's own, which closes a pool before the database under it goes."""

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        self.connection.close()
        self.connection.close_pool(force=True)
        super()._clone_test_db(suffix, verbosity, keepdb)

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        self.connection.close_pool(force=True)
        super()._destroy_test_db(test_database_name, verbosity)
