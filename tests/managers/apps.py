"""As an application of a Django project: it asks its database when it is ready."""

from __future__ import annotations

from django.apps import AppConfig


class ManagedConfig(AppConfig):
    """Opens the ledger in each process that sets the project up."""

    name = "tests.managers"
    label = "managed"

    def ready(self) -> None:
        """Ask the database, which Django advises against and many do."""
        import tests.managers.ledger  # noqa: F401 - asks, and keeps a transaction
