"""A plugin of pytest (`-p mysqldb_as_pymysql`): whatever imports pymysql finds MySQLdb.

That is mysqlclient, or forksafe after the plugin `forksafe_as_mysqldb`. PyMySQL has MySQLdb's
interface, some of it under names of its own; what it alone has, such as `pymysql.charset`, is
not there.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import MySQLdb
from MySQLdb import _exceptions, _mysql, converters, release, times

SAME = (
    *("connections", "cursors", "constants", "constants.CLIENT", "constants.CR", "constants.ER"),
    *("constants.FIELD_TYPE", "constants.FLAG"),
)


def _put(name: str, like: ModuleType, **more: object) -> ModuleType:
    """A module of this name with what `like` has, and more."""
    module = sys.modules[name] = ModuleType(name)
    vars(module).update({key: vars(like)[key] for key in dir(like) if not key.startswith("__")})
    vars(module).update(more)
    return module


for submodule in SAME:
    sys.modules[f"pymysql.{submodule}"] = importlib.import_module(f"MySQLdb.{submodule}")
sys.modules["pymysql.err"] = _exceptions
CONVERTERS = _put(
    "pymysql.converters",
    converters,
    escape_string=_mysql.escape_string,
    convert_datetime=times.DateTime_or_None,
    convert_timedelta=times.TimeDelta_or_None,
    convert_time=times.Time_or_None,
)
_put(
    "pymysql",
    MySQLdb,
    # pytest runs in the directory of the tests, and there is nothing of PyMySQL beside it.
    __path__=[str(Path.cwd().parent)],
    __version__=release.__version__,
    converters=CONVERTERS,
    err=_exceptions,
)
