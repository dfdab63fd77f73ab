"""The ways by which an application asks its database, each made when this module is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django
import pymysql
from django.apps import apps
from django.db import connections
from sqlalchemy import create_engine, text

import forksafe
from tests.managers.given import given

# A client's token and the session that answers. `%s` of PEP 249; SQLAlchemy has its own.
ECHO = "SELECT %s, CONNECTION_ID()"
STALL = "SELECT GET_LOCK(%s, 60), CONNECTION_ID()"

if not apps.models_ready:
    django.setup()
pool = forksafe.Pool(**given().connect, max_size=4)
engine = create_engine(given().url)


def by_pool(sql: str, argument: str) -> tuple[Any, int]:
    """On a connection of forksafe's pool."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(sql, (argument,))
        first, session = cursor.fetchall()[0]
        return first, session


def by_engine(sql: str, argument: str) -> tuple[Any, int]:
    """By SQLAlchemy, with SQLAlchemy's own pool."""
    with engine.connect() as connection:
        asked = text(sql.replace("%s", ":argument"))
        first, session = connection.execute(asked, {"argument": argument}).one()
        return first, session


def by_django(alias: str) -> Callable[[str, str], tuple[Any, int]]:
    """By Django, on this alias."""

    def ask(sql: str, argument: str) -> tuple[Any, int]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, [argument])
            first, session = cursor.fetchone()
            return first, session

    return ask


def by_usual_driver() -> Callable[[str, str], tuple[Any, int]]:
    """On one connection of PyMySQL, which forked children inherit: how it goes wrong elsewhere."""
    account = ("host", "port", "user", "password", "database")
    connection = pymysql.connect(**{name: given().connect[name] for name in account})

    def ask(sql: str, argument: str) -> tuple[Any, int]:
        with connection.cursor() as cursor:
            cursor.execute(sql, (argument,))
            first, session = cursor.fetchall()[0]
            return first, session

    return ask


WAYS = {
    "pool": by_pool,
    "engine": by_engine,
    "django": by_django("default"),
    "kept": by_django("kept"),
}
if given().usual:
    WAYS["usual"] = by_usual_driver()
