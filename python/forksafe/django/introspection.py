"""What is in a database: tables, columns, relations and constraints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlparse
from django.db.backends.base import introspection as base
from django.db.models import Index

from forksafe.constants import FIELD_TYPE

from . import catalog

SERIAL = {
    "IntegerField": "AutoField",
    "BigIntegerField": "BigAutoField",
    "SmallIntegerField": "SmallAutoField",
}
UNSIGNED = {
    "IntegerField": "PositiveIntegerField",
    "BigIntegerField": "PositiveBigIntegerField",
    "SmallIntegerField": "PositiveSmallIntegerField",
}
TABLE_TYPES = {"BASE TABLE": "t", "VIEW": "v"}


class TableInfo(NamedTuple):
    """A table or view; Django's own, and its comment."""

    name: str
    type: str | None
    comment: str


class FieldInfo(NamedTuple):
    """A column; Django's own, and what MySQL adds."""

    name: str
    type_code: int
    display_size: int | None
    internal_size: int | None
    precision: int | None
    scale: int | None
    null_ok: bool
    default: str | None
    collation: str | None
    extra: str
    is_unsigned: bool
    has_json_constraint: bool
    comment: str
    data_type: str


class DatabaseIntrospection(base.BaseDatabaseIntrospection):
    """Reads the server's information_schema."""

    data_types_reverse = {  # noqa: RUF012 - Django's, whose class attribute it replaces
        FIELD_TYPE.TINY: "IntegerField",
        FIELD_TYPE.SHORT: "SmallIntegerField",
        FIELD_TYPE.INT24: "IntegerField",
        FIELD_TYPE.LONG: "IntegerField",
        FIELD_TYPE.LONGLONG: "BigIntegerField",
        FIELD_TYPE.FLOAT: "FloatField",
        FIELD_TYPE.DOUBLE: "FloatField",
        FIELD_TYPE.DECIMAL: "DecimalField",
        FIELD_TYPE.NEWDECIMAL: "DecimalField",
        FIELD_TYPE.DATE: "DateField",
        FIELD_TYPE.TIME: "TimeField",
        FIELD_TYPE.DATETIME: "DateTimeField",
        FIELD_TYPE.TIMESTAMP: "DateTimeField",
        FIELD_TYPE.STRING: "CharField",
        FIELD_TYPE.VAR_STRING: "CharField",
        FIELD_TYPE.TINY_BLOB: "TextField",
        FIELD_TYPE.BLOB: "TextField",
        FIELD_TYPE.MEDIUM_BLOB: "TextField",
        FIELD_TYPE.LONG_BLOB: "TextField",
        FIELD_TYPE.JSON: "JSONField",
    }

    def get_field_type(self, data_type: int, description: FieldInfo) -> Any:
        """The kind of model field for a column."""
        if description.data_type.upper() == "UUID":
            return "UUIDField"
        # MariaDB's JSON is a LONGTEXT with a CHECK.
        if description.has_json_constraint:
            return "JSONField"
        kind = super().get_field_type(data_type, description)
        if "auto_increment" in description.extra:
            return SERIAL.get(kind, kind)
        return UNSIGNED.get(kind, kind) if description.is_unsigned else kind

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        """The tables and views of the current database."""
        cursor.execute(catalog.TABLES)
        return [
            TableInfo(name, TABLE_TYPES.get(kind), comment)
            for name, kind, comment in cursor.fetchall()
        ]

    def get_table_description(self, cursor: Any, table_name: str) -> list[FieldInfo]:
        """The columns of a table, in their order."""
        of_json = self._columns_of_json(cursor, table_name)
        cursor.execute(catalog.COLUMNS, {"table": table_name})
        facts = {name: rest for name, *rest in cursor.fetchall()}
        cursor.execute(f"SELECT * FROM {self.connection.ops.quote_name(table_name)} LIMIT 0")
        return [
            _field_info(column, facts[column[0]], column[0] in of_json)
            for column in cursor.description
        ]

    def get_sequences(
        self, cursor: Any, table_name: str, table_fields: Iterable[Any] = ()
    ) -> list[dict[str, str]]:
        """The column that counts by itself; a table has one at most."""
        return [
            {"table": table_name, "column": column.name}
            for column in self.get_table_description(cursor, table_name)
            if "auto_increment" in column.extra
        ]

    def get_relations(self, cursor: Any, table_name: str) -> dict[str, tuple[Any, ...]]:
        """What each foreign key refers to: column, table and, as of Django 6.1, ON DELETE."""
        cursor.execute(catalog.RELATIONS, [table_name])
        relations = cursor.fetchall()
        on_delete = getattr(self, "on_delete_types", None)
        if on_delete is None:
            return {column: tuple(referred) for _, column, *referred in relations}
        cursor.execute(catalog.DELETE_RULES, [table_name])
        rules = dict(cursor.fetchall())
        return {
            column: (*referred, on_delete.get(rules.get(name)))
            for name, column, *referred in relations
        }

    def get_storage_engine(self, cursor: Any, table_name: str) -> str:
        """The engine of a table, or the default one if there is no such table."""
        cursor.execute(catalog.ENGINE, [table_name])
        row = cursor.fetchone()
        return row[0] if row else self.connection.features._mysql_storage_engine

    def get_constraints(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        """The keys, foreign keys, checks and indexes of a table, by name."""
        constraints = self._keys(cursor, table_name)
        if getattr(self.connection.features, "can_introspect_check_constraints", True):
            constraints.update(self._checks(cursor, table_name))
        self._add_indexes(constraints, cursor, table_name)
        return constraints

    def _columns_of_json(self, cursor: Any, table_name: str) -> set[str]:
        """The columns that MariaDB checks to be JSON; such a check bears the column's name."""
        if not self.connection.mysql_is_mariadb:
            return set()
        cursor.execute(catalog.CHECKS_OF_MARIADB, [table_name])
        return {
            name
            for name, clause in cursor.fetchall()
            if clause.lower() == f"json_valid(`{name.lower()}`)"
        }

    def _keys(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        cursor.execute(catalog.KEYS, [table_name])
        found: dict[str, dict[str, Any]] = {}
        for name, column, *referred in cursor.fetchall():
            foreign = tuple(referred) if referred[0] else None
            key = found.setdefault(
                name,
                self._constraint(
                    primary_key=name == catalog.PRIMARY, unique=foreign is None, foreign_key=foreign
                ),
            )
            if column not in key["columns"]:
                key["columns"].append(column)
        return found

    def _checks(self, cursor: Any, table_name: str) -> dict[str, dict[str, Any]]:
        columns = {column.name for column in self.get_table_description(cursor, table_name)}
        mariadb = self.connection.mysql_is_mariadb
        cursor.execute(
            catalog.CHECKS_OF_MARIADB if mariadb else catalog.CHECKS_OF_MYSQL, [table_name]
        )
        found = {}
        unnamed = 0
        for name, clause in cursor.fetchall():
            checked = self._parse_constraint_columns(clause, columns)
            # A check without a name gets that of its column, which an index may have too.
            if checked == [name]:
                unnamed += 1
                name = f"__unnamed_constraint_{unnamed}__"
            found[name] = _plain_constraint(columns=checked, check=True)
        return found

    def _parse_constraint_columns(self, check_clause: str, columns: Iterable[str]) -> list[str]:
        tokens: Iterable[Any] = sqlparse.parse(check_clause)[0].flatten()  # type: ignore[no-untyped-call]
        names = (
            token.value[1:-1]
            for token in tokens
            if token.ttype == sqlparse.tokens.Name and token.value[0] == token.value[-1] == "`"
        )
        return list(dict.fromkeys(name for name in names if name in columns))

    def _add_indexes(
        self, constraints: dict[str, dict[str, Any]], cursor: Any, table_name: str
    ) -> None:
        cursor.execute(f"SHOW INDEX FROM {self.connection.ops.quote_name(table_name)}")
        for _, non_unique, name, _, column, order, *_, kind in (r[:11] for r in cursor.fetchall()):
            found = constraints.setdefault(name, self._constraint(unique=not non_unique))
            found["index"] = True
            found["type"] = Index.suffix if kind == "BTREE" else kind.lower()
            if column not in found["columns"]:
                found["columns"].append(column)
            if "orders" in found:
                found["orders"].append("DESC" if order == "D" else "ASC")

    def _constraint(self, **facts: Any) -> dict[str, Any]:
        """A constraint that may be an index, which has orders where the server has them."""
        constraint = _plain_constraint(**facts)
        if self.connection.features.supports_index_column_ordering:
            constraint["orders"] = []
        return constraint


def _plain_constraint(**facts: Any) -> dict[str, Any]:
    return {
        "columns": [],
        "primary_key": False,
        "unique": False,
        "index": False,
        "check": False,
        "foreign_key": None,
        **facts,
    }


def _field_info(column: tuple[Any, ...], facts: list[Any], of_json: bool) -> FieldInfo:
    data_type, length, precision, scale, extra, default, collation, unsigned, comment = facts
    return FieldInfo(
        name=column[0],
        type_code=column[1],
        display_size=int(length or 0) or column[2],
        internal_size=int(length or 0) or column[3],
        precision=int(precision or 0) or column[4],
        scale=int(scale or 0) or column[5],
        null_ok=column[6],
        default=default,
        collation=collation,
        extra=extra,
        is_unsigned=bool(unsigned),
        has_json_constraint=of_json,
        comment=comment,
        data_type=data_type,
    )
