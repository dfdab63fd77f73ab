"""Settings for Django's own suite; the databases come as JSON in FORKSAFE_CONFORMANCE_DATABASES."""

import json
import os

import django

DATABASES = json.loads(os.environ["FORKSAFE_CONFORMANCE_DATABASES"])
# Spelt so in one of the tests.
SECRET_KEY = "django_tests_secret_key"
# The suite makes many users and guards none of them.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# What its tests count on; newer ones take the default.
if django.VERSION < (6, 0):
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
