"""A plugin of pytest: SQLAlchemy's requirements, told of forksafe where they name drivers.

`--requirements` is meant for this, but what setup.cfg names comes after it.
"""

import pytest

AS_MYSQLCLIENT = "parameters are literals in the text, as mysqlclient's: a date is a string there"


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    """After SQLAlchemy's plugin has loaded its own."""
    from sqlalchemy import testing
    from sqlalchemy.testing import config, exclusions
    from test.requirements import DefaultRequirements

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

    config.requirements = testing.requires = Requirements()
