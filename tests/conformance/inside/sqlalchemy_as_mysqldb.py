"""A plugin of pytest: forksafe is `MySQLdb`, and SQLAlchemy's own `mysql+mysqldb` uses it."""

import forksafe

forksafe.install_as_MySQLdb()
