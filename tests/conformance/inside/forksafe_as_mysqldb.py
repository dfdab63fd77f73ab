"""A plugin of pytest (`-p forksafe_as_mysqldb`): whatever imports MySQLdb finds forksafe."""

import forksafe

forksafe.install_as_MySQLdb()
