"""Facts of the SQL that MySQL and MariaDB speak, in the form that Django wants them."""

from __future__ import annotations

import re

from django.db.backends.utils import typecast_time

from forksafe.constants import FIELD_TYPE
from forksafe.converters import Thing2Literal, conversions

DATA_TYPES = {
    "AutoField": "integer AUTO_INCREMENT",
    "BigAutoField": "bigint AUTO_INCREMENT",
    "BigIntegerField": "bigint",
    "BinaryField": "longblob",
    "BooleanField": "bool",
    "CharField": "varchar(%(max_length)s)",
    "DateField": "date",
    "DateTimeField": "datetime(6)",
    "DecimalField": "numeric(%(max_digits)s, %(decimal_places)s)",
    "DurationField": "bigint",
    "FileField": "varchar(%(max_length)s)",
    "FilePathField": "varchar(%(max_length)s)",
    "FloatField": "double precision",
    "GenericIPAddressField": "char(39)",
    "IPAddressField": "char(15)",
    "IntegerField": "integer",
    "JSONField": "json",
    "OneToOneField": "integer",
    "PositiveBigIntegerField": "bigint UNSIGNED",
    "PositiveIntegerField": "integer UNSIGNED",
    "PositiveSmallIntegerField": "smallint UNSIGNED",
    "SlugField": "varchar(%(max_length)s)",
    "SmallAutoField": "smallint AUTO_INCREMENT",
    "SmallIntegerField": "smallint",
    "TextField": "longtext",
    "TimeField": "time(6)",
    "UUIDField": "char(32)",
}

# Kept positive by a CHECK as well, where the server has it.
POSITIVE_FIELDS = ("PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField")

# Without a full-width index; on old servers without a default value.
LIMITED_DATA_TYPES = (
    *("tinyblob", "blob", "mediumblob", "longblob"),
    *("tinytext", "text", "mediumtext", "longtext"),
    "json",
)

OPERATORS = {
    "exact": "= %s",
    "gt": "> %s",
    "gte": ">= %s",
    "lt": "< %s",
    "lte": "<= %s",
    "iexact": "LIKE %s",
    "contains": "LIKE BINARY %s",
    "icontains": "LIKE %s",
    "startswith": "LIKE BINARY %s",
    "istartswith": "LIKE %s",
    "endswith": "LIKE BINARY %s",
    "iendswith": "LIKE %s",
}

# The same when the right side is an expression: LIKE's special characters are escaped by the
# server. Percent signs are doubled, since parameters are interpolated later.
PATTERN_ESC = r"REPLACE(REPLACE(REPLACE({}, '\\', '\\\\'), '%%', '\%%'), '_', '\_')"
PATTERN_OPS = {
    "contains": "LIKE BINARY CONCAT('%%', {}, '%%')",
    "icontains": "LIKE CONCAT('%%', {}, '%%')",
    "startswith": "LIKE BINARY CONCAT({}, '%%')",
    "istartswith": "LIKE CONCAT({}, '%%')",
    "endswith": "LIKE BINARY CONCAT('%%', {})",
    "iendswith": "LIKE CONCAT('%%', {})",
}

ISOLATION_LEVELS = ("read committed", "read uncommitted", "repeatable read", "serializable")

# A TIME of the server is a span, signed and up to 838 hours; Django's TimeField is a time of day.
# Lazy text, and what else Django's users pass to a raw statement, is written as its str().
CONVERSIONS = {**conversions, FIELD_TYPE.TIME: typecast_time, object: Thing2Literal}

SERVER_VERSION = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{1,2})")
