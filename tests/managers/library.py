"""Settings for Django's test runner on tests/djangosite's library: MANAGED_POOL, MANAGED_METHOD."""

from __future__ import annotations

import json
import multiprocessing
import os

from tests.djangosite.settings import APPS, MIDDLEWARE, TEMPLATES
from tests.managers.given import given

__all__ = ["MIDDLEWARE", "TEMPLATES"]  # settings as they are

# Before the test runner asks for it: how its processes are started.
multiprocessing.set_start_method(os.environ["MANAGED_METHOD"], force=True)

OPTIONS = {**given().database["OPTIONS"], "pool": json.loads(os.environ["MANAGED_POOL"])}
DATABASES = {"default": {**given().database, "OPTIONS": OPTIONS}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = APPS
ROOT_URLCONF = "tests.djangosite.urls"
SECRET_KEY = "of a test"
STATIC_URL = "static/"
USE_TZ = True
