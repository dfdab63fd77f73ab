"""The wrapper of a database with geometries."""

from __future__ import annotations

from django.contrib.gis.db.backends.mysql.features import DatabaseFeatures

from forksafe.django import base

from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .schema import DatabaseSchemaEditor


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection to one database; its columns may hold geometries."""

    SchemaEditorClass = DatabaseSchemaEditor
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations
