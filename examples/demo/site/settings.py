"""Settings of the demo site. The environment chooses the driver, and nothing but DATABASES differs.

`default` and `ledger` are two aliases of one database, as sites have them that keep work apart.
"""

from __future__ import annotations

import os
from typing import Any

DRIVER = os.environ["DEMO_DRIVER"]

if DRIVER == "pymysql":
    import pymysql

    pymysql.install_as_MySQLdb()

USUAL: dict[str, Any] = {"ENGINE": "django.db.backends.mysql", "CONN_MAX_AGE": 60}
DRIVERS: dict[str, dict[str, Any]] = {
    "mysqlclient": USUAL,
    "pymysql": USUAL,
    "forksafe": {"ENGINE": "forksafe.django", "OPTIONS": {"pool": True}},
}

DATABASE: dict[str, Any] = {
    **DRIVERS[DRIVER],
    "HOST": os.environ["DEMO_HOST"],
    "PORT": os.environ["DEMO_PORT"],
    "USER": os.environ["DEMO_USER"],
    "PASSWORD": os.environ["DEMO_PASSWORD"],
    "NAME": os.environ["DEMO_DATABASE"],
}
DATABASES = {"default": DATABASE, "ledger": {**DATABASE}}

SECRET_KEY = "only for a throwaway server on loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["examples.demo.site"]
MIDDLEWARE = ["examples.demo.site.errors.ErrorsAsAnswers"]
ROOT_URLCONF = "examples.demo.site.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
