"""Settings for Django's own suite; the databases come as JSON in FORKSAFE_CONFORMANCE_DATABASES."""

import json
import os

DATABASES = json.loads(os.environ["FORKSAFE_CONFORMANCE_DATABASES"])
SECRET_KEY = "not a secret"
# The suite makes many users and guards none of them.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
