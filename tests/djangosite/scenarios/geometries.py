"""Models with geometries on `forksafe.django.gis`: saved, looked up, indexed and introspected."""

import os
import sys

from tests.djangosite.settings import database
from tests.given_server import GivenServer

server = GivenServer(os.environ["FORKSAFE_TEST_URL"])
entry = database(server, ENGINE="forksafe.django.gis", NAME=sys.argv[1])
entry["OPTIONS"] |= {"pool": True} if sys.argv[2] == "pool" else {}

import django
from django.conf import settings

settings.configure(DATABASES={"default": entry}, INSTALLED_APPS=["django.contrib.gis"])
django.setup()

import io

from django.contrib.gis.db import models
from django.contrib.gis.geos import GeometryCollection, LineString, Point, Polygon
from django.core.management import call_command
from django.db import connection


class Place(models.Model):
    """A place on a map."""

    name = models.CharField(max_length=50)
    at = models.PointField()
    around = models.PolygonField(null=True)
    way = models.LineStringField(default=LineString((0, 0), (1, 1)))
    all = models.GeometryCollectionField(null=True)

    class Meta:
        """No application has it."""

        app_label = "maps"


with connection.schema_editor() as editor:
    editor.create_model(Place)

square = Polygon(((0, 0), (0, 4), (4, 4), (4, 0), (0, 0)))
near = Place.objects.create(name="near's", at=Point(1, 2), around=square)
far = Place.objects.create(name="far", at=Point(10, 20), all=GeometryCollection(Point(3, 3)))
for place in (near, far):
    found = Place.objects.get(pk=place.pk)
    for name in ("at", "around", "way", "all"):
        assert getattr(found, name) == getattr(place, name), name

assert Place.objects.get(at__within=square) == near
assert Place.objects.get(around__contains=Point(2, 2)) == near
assert Place.objects.get(at=Point(10, 20)) == far
near.at = Point(3, 1)
near.save()
assert Place.objects.get(at=Point(3, 1)) == near
Place.objects.bulk_create(Place(name="many", at=Point(n, n)) for n in range(50))
assert Place.objects.filter(at__disjoint=square).count() == 46

with connection.cursor() as cursor:
    indexes = connection.introspection.get_constraints(cursor, "maps_place")
kinds = {tuple(index["columns"]): index["type"] for index in indexes.values() if index["index"]}
assert kinds[("at",)] == "spatial", kinds

out = io.StringIO()
call_command("inspectdb", stdout=out)
for line in ("at = models.PointField()", "all = models.GeometryCollectionField(", "import models"):
    assert line in out.getvalue(), out.getvalue()

added = models.PointField(null=True)
added.set_attributes_from_name("added")
with connection.schema_editor() as editor:
    editor.add_field(Place, added)
    editor.remove_field(Place, Place._meta.get_field("at"))
with connection.cursor() as cursor:
    columns = {
        column.name: column
        for column in connection.introspection.get_table_description(cursor, "maps_place")
    }
assert connection.introspection.get_geometry_type("maps_place", columns["added"])[0] == "PointField"
assert "at" not in columns
assert "MySQLdb" not in sys.modules
