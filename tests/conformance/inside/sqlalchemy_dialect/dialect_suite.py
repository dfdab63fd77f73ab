"""`sqlalchemy.testing.suite` as a third party's dialect runs it."""

from sqlalchemy.testing.suite import *  # noqa: F403
from sqlalchemy.testing.suite import ServerSideCursorsTest as _ServerSideCursorsTest

from forksafe.cursors import SSCursor


class ServerSideCursorsTest(_ServerSideCursorsTest):
    """The suite knows the cursors of SQLAlchemy's own dialects alone, by the driver's name."""

    def _is_server_side(self, cursor):
        return isinstance(cursor, SSCursor)
