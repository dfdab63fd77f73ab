"""A plugin of pytest: `MySQLdb` is forksafe, and SQLAlchemy's own dialect `mysql+mysqldb` uses it."""

import forksafe

forksafe.install_as_MySQLdb()
