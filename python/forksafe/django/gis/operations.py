"""Geometries as parameters."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.db.backends.mysql.operations import MySQLOperations


class Adapter(str):
    """A geometry's well-known text; a driver takes it as the text it is.

    Django's own adapter is an object that a driver must know to turn into text.
    """

    srid: int | None

    def __new__(cls, geometry: Any) -> Adapter:
        """`geometry` has `wkt` and `srid`."""
        adapter = super().__new__(cls, geometry.wkt)
        adapter.srid = geometry.srid
        return adapter

    @classmethod
    def _fix_polygon(cls, polygon: Any) -> Any:
        """Answer it as it is: GeoDjango asks, for the sake of Oracle."""
        return polygon

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Adapter) and str(self) == str(other) and self.srid == other.srid

    def __hash__(self) -> int:
        return hash((str(self), self.srid))


class DatabaseOperations(MySQLOperations):
    """GeoDjango's own, with geometries as text."""

    Adapter = Adapter
