"""The pages. Each answers with the token it was sent, fetched back through the database."""

from __future__ import annotations

import os
import threading
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from examples.demo.site import job
from examples.demo.site.echo import echo, find_ticket, pool_statistics
from examples.demo.site.models import Entry, Ticket


def health(request: HttpRequest) -> HttpResponse:
    """Tell that a worker serves; asks no database."""
    return HttpResponse("ok")


def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """One ticket, by one query of the ORM."""
    try:
        found = find_ticket(number, request.GET["token"])
    except Ticket.DoesNotExist:
        return JsonResponse({"missing": number}, status=404)
    return _answer(found)


def ledger(request: HttpRequest, shift: str) -> HttpResponse:
    """How many entries a shift has: none before its master commits."""
    entries = Entry.objects.using("ledger").filter(shift=shift).count()
    token, session = echo("ledger", request.GET["token"])
    return _answer({"token": token, "session": session, "entries": entries})


def ticket_with_job(request: HttpRequest, number: int) -> HttpResponse:
    """The same ticket; a background job starts in a thread of this worker and is not waited for."""
    threading.Thread(target=job.run_once, args=("worker",)).start()
    return ticket(request, number)


def _answer(facts: dict[str, Any]) -> HttpResponse:
    return JsonResponse({**facts, "pid": os.getpid(), "pools": pool_statistics()})
