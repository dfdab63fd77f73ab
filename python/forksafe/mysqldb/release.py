"""Which version of mysqlclient's interface this is."""

__version__ = "2.3.1"
version_info = (2, 3, 1, "final", 0)
