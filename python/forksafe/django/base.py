"""The wrapper that Django makes of each entry of DATABASES."""

from __future__ import annotations

from typing import Any

import django.db.models  # noqa: F401 - first, or what operations.py imports goes in a circle
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.db.backends.mysql.features import DatabaseFeatures
from django.db.backends.mysql.operations import DatabaseOperations
from django.db.backends.mysql.validation import DatabaseValidation
from django.utils.functional import cached_property

from forksafe.constants import CLIENT

from . import columns
from .client import DatabaseClient
from .creation import DatabaseCreation
from .introspection import DatabaseIntrospection
from .schema import DatabaseSchemaEditor
from .server import ServerAwareWrapper


class DatabaseWrapper(ServerAwareWrapper):
    """One thread's connection to one database, opened when it is needed."""

    vendor = "mysql"
    operators = columns.OPERATORS
    pattern_esc = columns.PATTERN_ESC
    pattern_ops = columns.PATTERN_OPS
    isolation_levels = frozenset(columns.ISOLATION_LEVELS)
    isolation_level: str | None = None
    _limited_data_types = columns.LIMITED_DATA_TYPES

    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations
    validation_class = DatabaseValidation

    @cached_property
    def data_types(self) -> dict[str, str]:
        """The column type of each kind of field."""
        native = {"UUIDField": "uuid"} if self.features.has_native_uuid_field else {}
        return {**columns.DATA_TYPES, **native}

    @cached_property
    def data_type_check_constraints(self) -> dict[str, str]:
        """The CHECK of each kind of field that has one."""
        if not getattr(self.features, "supports_column_check_constraints", True):
            return {}
        return dict.fromkeys(columns.POSITIVE_FIELDS, "`%(column)s` >= 0")

    def get_connection_params(self) -> dict[str, Any]:
        """The options of forksafe.connect(), from the settings.

        Raises ImproperlyConfigured for an isolation level that no server has, and for a class of
        cursors: Django has its own, and reads whole results of tuples.
        """
        settings = self.settings_dict
        options = {**settings["OPTIONS"]}
        pool = options.pop("pool", None)
        if "cursorclass" in {**options, **(pool if isinstance(pool, dict) else {})}:
            raise ImproperlyConfigured(
                f"OPTIONS['cursorclass'] of the database {self.alias!r}: Django has cursors of its"
                " own. For another kind, use connection.connection.cursor(…) beside them."
            )
        self.isolation_level = self._known_level(options.pop("isolation_level", "read committed"))
        if self.isolation_level and self._is_isolated_at_connect:
            options["init_command"] = self._isolation_sql()
        return {
            "charset": "utf8mb4",
            # Left as Django is about to set it, so that setting it costs no round trip.
            "autocommit": settings["AUTOCOMMIT"],
            # An UPDATE counts the rows it found; Django takes 0 for "no such row".
            "client_flag": CLIENT.FOUND_ROWS,
            **self._account_and_place(),
            **options,
            "conv": {**columns.CONVERSIONS, **options.get("conv", {})},
        }

    def init_connection_state(self) -> None:
        """Set what Django expects of a session."""
        super().init_connection_state()
        assignments = []
        if self.features.is_sql_auto_is_null_enabled:
            assignments.append("SET SQL_AUTO_IS_NULL = 0")
        if self.isolation_level and not self._is_isolated_at_connect:
            assignments.append(self._isolation_sql())
        if assignments:
            with self.cursor() as cursor:
                cursor.execute("; ".join(assignments))

    def disable_constraint_checking(self) -> bool:
        """Let rows in that refer to rows still to come; True: it has to be enabled again."""
        with self.cursor() as cursor:
            cursor.execute("SET foreign_key_checks=0")
        return True

    def enable_constraint_checking(self) -> None:
        """Have foreign keys checked again, also in a block that waits for its rollback."""
        self.needs_rollback, needs_rollback = False, self.needs_rollback
        try:
            with self.cursor() as cursor:
                cursor.execute("SET foreign_key_checks=1")
        finally:
            self.needs_rollback = needs_rollback

    def check_constraints(self, table_names: list[str] | None = None) -> None:
        """Raise IntegrityError if a row of these tables refers to a row that is not there.

        The server has no such check of its own for rows that came in while checking was off.
        """
        with self.cursor() as cursor:
            if table_names is None:
                table_names = self.introspection.table_names(cursor)
            for table in table_names:
                key = self.introspection.get_primary_key_column(cursor, table)
                if key is None:
                    continue
                # Django 6.1 adds what happens on deletion.
                for column, (target_column, target, *_) in self.introspection.get_relations(
                    cursor, table
                ).items():
                    self._check_relation(cursor, (table, key, column), (target, target_column))

    def _check_relation(
        self, cursor: Any, referring: tuple[str, str, str], referred: tuple[str, str]
    ) -> None:
        table, key, column, target, target_column = map(
            self.ops.quote_name, (*referring, *referred)
        )
        cursor.execute(
            f"SELECT r.{key}, r.{column} FROM {table} AS r WHERE r.{column} IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE t.{target_column} = r.{column})"
            " LIMIT 1"
        )
        if orphan := cursor.fetchone():
            raise IntegrityError(
                f"The row of {table} with the primary key {orphan[0]!r} has an invalid foreign"
                f" key: its {column} is {orphan[1]!r}, and {target} has no row whose"
                f" {target_column} is that."
            )

    def _set_autocommit(self, autocommit: bool) -> None:
        with self.wrap_database_errors:
            self.connection.autocommit(autocommit)

    def _account_and_place(self) -> dict[str, Any]:
        settings = self.settings_dict
        host = settings["HOST"]
        port = settings["PORT"]
        found = {
            "user": settings["USER"],
            "password": settings["PASSWORD"],
            "database": settings["NAME"],
            "unix_socket" if host.startswith("/") else "host": host,
            "port": int(port) if port else None,
        }
        return {name: value for name, value in found.items() if value}

    def _known_level(self, wanted: str | None) -> str | None:
        level = wanted.lower() if wanted else None
        if level is None or level in self.isolation_levels:
            return level
        known = ", ".join(f"'{name}'" for name in sorted(self.isolation_levels))
        raise ImproperlyConfigured(
            f"Invalid transaction isolation level '{level}' specified.\n"
            f"Use one of {known}, or None."
        )

    def _isolation_sql(self) -> str:
        return f"SET SESSION TRANSACTION ISOLATION LEVEL {(self.isolation_level or '').upper()}"

    @property
    def _is_isolated_at_connect(self) -> bool:
        """Whether a connection gets its isolation level once, and not at each check-out."""
        return self.is_pooled and "init_command" not in self.settings_dict["OPTIONS"]
