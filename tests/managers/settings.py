"""The Django project that is managed: one alias with a pool, one that keeps its connection."""

from __future__ import annotations

from tests.managers.given import given

DATABASES = {
    "default": {
        **given().database,
        "OPTIONS": {**given().database["OPTIONS"], "pool": {"max_size": 4}},
    },
    "kept": {**given().database, "CONN_MAX_AGE": None},
}
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.managers.site"
SECRET_KEY = "of a test"
USE_TZ = True
