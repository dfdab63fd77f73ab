"""A plugin of pytest: `mysql+mysqldb` is forksafe's dialect, and `MySQLdb` is forksafe."""

from sqlalchemy.dialects import registry

import forksafe
from forksafe.sqlalchemy import MariaDBDialect_forksafe, MySQLDialect_forksafe


class MySQLNamedMysqldb(MySQLDialect_forksafe):
    """`mysql+mysqldb`."""

    driver = "mysqldb"
    supports_statement_cache = True


class MariaDBNamedMysqldb(MariaDBDialect_forksafe):
    """`mariadb+mysqldb`."""

    driver = "mysqldb"
    supports_statement_cache = True


forksafe.install_as_MySQLdb()
registry.register("mysql.mysqldb", __name__, "MySQLNamedMysqldb")
registry.register("mariadb.mysqldb", __name__, "MariaDBNamedMysqldb")
