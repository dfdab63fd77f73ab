"""SQLAlchemy's requirements, told of forksafe where they name drivers.

`--requirements` is the way that SQLAlchemy has for a third party's dialect.
"""

from sqlalchemy.testing import exclusions
from test.requirements import DefaultRequirements

AS_MYSQLCLIENT = "parameters are literals in the text, as mysqlclient's: a date is a string there"


class Requirements(DefaultRequirements):
    """What holds for mysqlclient by its name holds for forksafe."""

    @property
    def format_paramstyle(self):
        """`%s` stands for a parameter."""
        return exclusions.open()

    @property
    def date_implicit_bound(self):
        """`SELECT %s` of a date answers a string."""
        return exclusions.fails(AS_MYSQLCLIENT)

    time_implicit_bound = datetime_implicit_bound = date_implicit_bound
