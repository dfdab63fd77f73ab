"""`manage.py dbshell`, and the dumps by which test databases are cloned."""

from __future__ import annotations

from typing import Any

from django.db.backends.mysql import client

# forksafe's names of what the command-line client takes from `OPTIONS["ssl"]`.
SSL_FILES = {"ssl_ca": "ca", "ssl_cert": "cert", "ssl_key": "key"}


class DatabaseClient(client.DatabaseClient):
    """Django's own, told of forksafe's options in the words it knows."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: list[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """The command that opens the database of these settings, and its environment."""
        options = {**settings_dict["OPTIONS"]}
        # `ssl` may be True, which names no file.
        ssl = dict(options["ssl"]) if isinstance(options.get("ssl"), dict) else {}
        ssl.update({word: options[name] for name, word in SSL_FILES.items() if name in options})
        options["ssl"] = ssl
        if options.get("unix_socket"):
            options["host"] = options["unix_socket"]
        settings = {**settings_dict, "OPTIONS": options}
        return super().settings_to_cmd_args_env(settings, parameters)
