"""The WSGI application. Nothing in it knows of forks."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

import tests.managers.ledger  # noqa: F401 - asks, and keeps a transaction
from tests.managers.report import report
from tests.managers.ways import ECHO, STALL, WAYS


def echo(request: HttpRequest, way: str) -> JsonResponse:
    """The token that came along, sent through the database."""
    token, session = WAYS[way](ECHO, request.GET["token"])
    return JsonResponse({"token": token, "session": session, "pid": os.getpid()})


def stall(request: HttpRequest, way: str) -> JsonResponse:
    """Ask for a lock that another session holds, and so stay in the middle of a statement."""
    report("stall", way=way, pid=os.getpid())
    got, session = WAYS[way](STALL, request.GET["lock"])
    return JsonResponse({"got": got, "session": session, "pid": os.getpid()})


urlpatterns = [path("<slug:way>/echo", echo), path("<slug:way>/stall", stall)]
application = get_wsgi_application()
