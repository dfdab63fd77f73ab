"""What kind of geometry a column holds."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.gdal import OGRGeomType

from forksafe.constants import FIELD_TYPE
from forksafe.django import introspection

# MySQL 8 has a name of its own for what the standard calls a geometry collection.
STANDARD_NAMES = {"geomcollection": "geometrycollection"}

# What has spatial indexes.
SPATIAL_ENGINES = ("MyISAM", "Aria", "InnoDB")


class DatabaseIntrospection(introspection.DatabaseIntrospection):
    """Reads the server's information_schema, and knows geometries."""

    data_types_reverse = {  # noqa: RUF012 - Django's, whose class attribute it replaces
        **introspection.DatabaseIntrospection.data_types_reverse,
        FIELD_TYPE.GEOMETRY: "GeometryField",
    }

    def get_geometry_type(
        self, table_name: str, description: introspection.FieldInfo
    ) -> tuple[str, dict[str, Any]]:
        """The kind of field for a column, and its arguments: there are none on these servers."""
        name = STANDARD_NAMES.get(description.data_type.lower(), description.data_type)
        return OGRGeomType(name).django, {}

    def supports_spatial_index(self, cursor: Any, table_name: str) -> bool:
        """Whether the table's engine has them."""
        return self.get_storage_engine(cursor, table_name) in SPATIAL_ENGINES
