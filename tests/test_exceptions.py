"""The exceptions are those of PEP 249, and travel well."""

from __future__ import annotations

import builtins
import pickle

import pytest

import forksafe

DATABASE_ERRORS = (
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
)
POOL_ERRORS = ("PoolTimeout", "TooManyRequests", "PoolClosed")
ALL = (
    *("Warning", "Error", "InterfaceError", "DatabaseError"),
    *(*DATABASE_ERRORS, *POOL_ERRORS, "ConnectionClosed"),
)


def test_the_tree_is_that_of_pep_249() -> None:
    assert issubclass(forksafe.InterfaceError, forksafe.Error)
    assert issubclass(forksafe.DatabaseError, forksafe.Error)
    assert not issubclass(forksafe.InterfaceError, forksafe.DatabaseError)
    for name in DATABASE_ERRORS:
        assert getattr(forksafe, name).__bases__ == (forksafe.DatabaseError,)


def test_a_warning_is_a_warning_of_python_and_no_error() -> None:
    assert issubclass(forksafe.Warning, builtins.Warning)
    assert not issubclass(forksafe.Warning, forksafe.Error)


@pytest.mark.parametrize("name", POOL_ERRORS)
def test_an_error_of_the_pool_is_an_operational_error(name: str) -> None:
    assert getattr(forksafe, name).__bases__ == (forksafe.OperationalError,)


def test_a_closed_connection_is_an_interface_error_as_in_pep_249_and_what_mysqldb_raises() -> None:
    bases = (forksafe.InterfaceError, forksafe.OperationalError)
    assert forksafe.ConnectionClosed.__bases__ == bases


@pytest.mark.parametrize("name", ALL)
def test_an_error_keeps_number_and_message_when_pickled(name: str) -> None:
    error = getattr(forksafe, name)(2006, "gone")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.args == (2006, "gone")
    assert str(copy) == "(2006, 'gone')"


@pytest.mark.parametrize("name", ALL)
def test_an_error_is_shown_under_its_public_name(name: str) -> None:
    kind = getattr(forksafe, name)
    assert (kind.__module__, kind.__qualname__) == ("forksafe", name)
    assert kind.__doc__
