"""Numbers of the MySQL protocol, under the names that MySQLdb gives them."""

from . import CLIENT, CR, ER, FIELD_TYPE, FLAG

__all__ = ["CLIENT", "CR", "ER", "FIELD_TYPE", "FLAG"]
