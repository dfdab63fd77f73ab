"""Errors as answers that can be counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse


def describe(error: BaseException) -> dict[str, Any]:
    """Name an error the way the tally counts it: class, number (0 where there is none), text."""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    return {"error": type(error).__name__, "number": number, "text": str(error)[:300]}


class ErrorsAsAnswers:
    """Middleware that answers a view's exception as JSON with status 500. It rescues nothing."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """What the view raised, for the client to count."""
        return JsonResponse(describe(error), status=500)
