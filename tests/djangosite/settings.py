"""The project's settings, made for the server that the tests have."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

from scripts.mariadb_server import Server

# A run of tests inside a run of tests has one of its own.
DATABASE = os.environ.get("FORKSAFE_TEST_DJANGO", "forksafe_django")

APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "tests.djangosite.library",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(server: Server, transport: str = "tcp", **changes: Any) -> dict[str, Any]:
    """An entry of DATABASES for the server; `changes` win, and OPTIONS are merged."""
    options = server.connect_kwargs(transport, database=None)
    place = {"HOST": options.pop("host", ""), "PORT": options.pop("port", "")}
    account = {"USER": options.pop("user"), "PASSWORD": options.pop("password")}
    entry = {"ENGINE": "forksafe.django", "NAME": DATABASE, **place, **account, **changes}
    return {**entry, "OPTIONS": {**options, **changes.get("OPTIONS", {})}}


def databases(server: Server) -> dict[str, dict[str, Any]]:
    """One alias for each way that the tests use the backend."""
    ways = {
        # Kept over requests, as a job or a thread keeps its own.
        "default": database(server, CONN_MAX_AGE=None),
        "pooled": database(server, OPTIONS={"pool": {"max_size": 4, "timeout": 5}}),
        "checked": database(server, CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True),
        "brief": database(server, CONN_MAX_AGE=0),
    }
    for transport in server.transports:
        ways[transport] = database(server, transport, CONN_MAX_AGE=None)
    # All of them are the same database to a test runner.
    mirrors = {name: {"TEST": {"MIRROR": "default"}} for name in ways if name != "default"}
    return {name: {**entry, **mirrors.get(name, {})} for name, entry in ways.items()}


def configure(entries: dict[str, dict[str, Any]]) -> None:
    """Set Django up with these DATABASES, once a process."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES=entries,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=APPS,
        MIDDLEWARE=MIDDLEWARE,
        # Quick; nobody's password is at stake.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF="tests.djangosite.urls",
        SECRET_KEY="of a test",
        STATIC_URL="static/",
        TEMPLATES=TEMPLATES,
        TIME_ZONE="UTC",
        USE_TZ=True,
    )
    django.setup()
