"""Spatial indexes, in statements that make and alter tables."""

from __future__ import annotations

from django.contrib.gis.db.backends.mysql.schema import MySQLGISSchemaEditor

from forksafe.django import schema


class DatabaseSchemaEditor(MySQLGISSchemaEditor, schema.DatabaseSchemaEditor):
    """GeoDjango's own, on forksafe's literals."""
