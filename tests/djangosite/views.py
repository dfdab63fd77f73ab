"""Pages that write and read, one of them asynchronous; used as a ROOT_URLCONF by tests."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path

from tests.djangosite.library.models import Author


def write_and_fail(request: HttpRequest, alias: str, name: str) -> JsonResponse:
    """Save an author; then something goes wrong."""
    Author.objects.using(alias).create(name=name)
    raise LookupError("after the author was saved")


async def echo(request: HttpRequest, alias: str, name: str) -> JsonResponse:
    """Save an author and read it back; the server is slow in between."""

    def rename() -> None:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT SLEEP(0.02)")
            Author.objects.using(alias).filter(name=name).update(name=f"{name}, renamed")

    author = await Author.objects.using(alias).acreate(name=name)
    await sync_to_async(rename)()
    await author.arefresh_from_db(using=alias)
    return JsonResponse({"name": author.name})


urlpatterns = [
    path("fail/<alias>/<name>/", write_and_fail),
    path("echo/<alias>/<name>/", echo),
]
