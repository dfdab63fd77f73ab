"""The admin, and a page that says which session of the server answered it."""

from django.contrib import admin
from django.db import connections
from django.http import HttpRequest, JsonResponse
from django.urls import path


def session(request: HttpRequest, alias: str) -> JsonResponse:
    """The server's CONNECTION_ID() on this alias."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        return JsonResponse({"session": cursor.fetchone()[0]})


urlpatterns = [path("admin/", admin.site.urls), path("session/<alias>/", session)]
