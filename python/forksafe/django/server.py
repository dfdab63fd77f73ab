"""What Django wants to know of the server before it speaks to it."""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property

from .columns import SERVER_VERSION
from .pool import PooledWrapper

# CONVERT_TZ answers NULL where the server's time zone tables are empty.
SERVER_FACTS = {
    "version": "VERSION()",
    "sql_mode": "@@sql_mode",
    "default_storage_engine": "@@default_storage_engine",
    "sql_auto_is_null": "@@sql_auto_is_null",
    "lower_case_table_names": "@@lower_case_table_names",
    "has_zoneinfo_database": "CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL",
}
YES_OR_NO = ("sql_auto_is_null", "lower_case_table_names", "has_zoneinfo_database")


class ServerAwareWrapper(PooledWrapper):
    """A wrapper that asks the server once who it is."""

    @cached_property
    def mysql_server_data(self) -> dict[str, Any]:
        """The facts that features and operations depend on, from one query."""
        with self.temporary_connection() as cursor:
            cursor.execute(f"SELECT {', '.join(SERVER_FACTS.values())}")
            facts = dict(zip(SERVER_FACTS, cursor.fetchone(), strict=True))
        return {**facts, **{name: bool(facts[name]) for name in YES_OR_NO}}

    @cached_property
    def mysql_server_info(self) -> str:
        """The server's own version string."""
        return self.mysql_server_data["version"]

    @cached_property
    def mysql_version(self) -> tuple[int, ...]:
        """The numbers of the version, such as (10, 11, 6)."""
        if found := SERVER_VERSION.match(self.mysql_server_info):
            return tuple(map(int, found.groups()))
        raise ValueError(f"no version in what the server says of it: {self.mysql_server_info!r}")

    @cached_property
    def mysql_is_mariadb(self) -> bool:
        """Whether the server is a MariaDB."""
        return "mariadb" in self.mysql_server_info.lower()

    @cached_property
    def sql_mode(self) -> set[str]:
        """The modes that are on."""
        return set(filter(None, (self.mysql_server_data["sql_mode"] or "").split(",")))

    @cached_property
    def display_name(self) -> str:
        """The server's name, as Django's messages print it."""
        return "MariaDB" if self.mysql_is_mariadb else "MySQL"

    def get_database_version(self) -> tuple[int, ...]:
        """The version that Django compares with the oldest it supports."""
        return self.mysql_version
