"""PEP 249's tests for one driver. FORKSAFE_CONFORMANCE_DRIVER names its module."""

from __future__ import annotations

import ast
import importlib
import os
from typing import Any

import dbapi20
import pytest


class TestDriver(dbapi20.DatabaseAPI20Test):  # type: ignore[misc] # the suite has no types
    """What the suite leaves to drivers: a procedure, several answers, sizes, closing twice."""

    driver = importlib.import_module(os.environ["FORKSAFE_CONFORMANCE_DRIVER"])
    connect_kw_args: dict[str, Any] = ast.literal_eval(os.environ["FORKSAFE_CONFORMANCE_CONNECT"])

    def test_callproc(self) -> None:
        """A procedure's rows, and the arguments back: `lower` is no procedure of MySQL's."""
        connection = self._connect()
        try:
            cursor = connection.cursor()
            cursor.execute("DROP PROCEDURE IF EXISTS dbapi20_lower")
            cursor.execute("CREATE PROCEDURE dbapi20_lower(t VARCHAR(20)) SELECT LOWER(t)")
            assert cursor.callproc("dbapi20_lower", ("FOO",)) == ("FOO",)
            assert cursor.fetchall() == (("foo",),)
            cursor.nextset()
            cursor.execute("DROP PROCEDURE dbapi20_lower")
        finally:
            connection.close()

    def test_nextset(self) -> None:
        """One statement after another."""
        connection = self._connect()
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT 1; SELECT 2")
            assert cursor.fetchall() == ((1,),)
            assert cursor.nextset()
            assert cursor.fetchall() == ((2,),)
            assert cursor.nextset() is None
        finally:
            connection.close()

    def test_setoutputsize(self) -> None:
        """It is there, with one argument and with two."""
        connection = self._connect()
        try:
            cursor = connection.cursor()
            cursor.setoutputsize(1000)
            cursor.setoutputsize(2000, 0)
        finally:
            connection.close()

    def test_non_idempotent_close(self) -> None:
        """The suite itself says that reasonable persons differ: here it is safe to repeat."""
        connection = self._connect()
        connection.close()
        if self.driver.__name__ == "forksafe":
            connection.close()
        else:
            with pytest.raises(self.driver.Error):
                connection.close()
