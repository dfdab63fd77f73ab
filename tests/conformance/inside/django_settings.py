"""Settings for Django's own suite; the databases come as JSON in FORKSAFE_CONFORMANCE_DATABASES."""

import json
import os

DATABASES = json.loads(os.environ["FORKSAFE_CONFORMANCE_DATABASES"])
# Spelt so in one of the tests.
SECRET_KEY = "django_tests_secret_key"
# The suite makes many users and guards none of them.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
