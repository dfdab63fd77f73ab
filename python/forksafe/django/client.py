"""`manage.py dbshell`, and the dumps by which test databases are cloned."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.mysql import client

# forksafe's names of what the command-line client takes from `OPTIONS["ssl"]`.
SSL_FILES = {"ssl_ca": "ca", "ssl_cert": "cert", "ssl_key": "key"}
CREDENTIALS = ("user", "password", "passwd")


class DatabaseClient(client.DatabaseClient):
    """Django's own, told of forksafe's options in the words it knows."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: list[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """The command that opens the database of these settings, and its environment.

        A user or password that is a callable is asked for; of several hosts it is the first.
        Raises ImproperlyConfigured when such a callable answers no text.
        """
        settings = {**settings_dict, "OPTIONS": {**settings_dict["OPTIONS"]}}
        options = settings["OPTIONS"]
        for holder, names in ((settings, ("USER", "PASSWORD")), (options, CREDENTIALS)):
            holder.update({name: _asked(name, holder[name]) for name in names if name in holder})
        # `ssl` may be True, which names no file.
        ssl = dict(options["ssl"]) if isinstance(options.get("ssl"), dict) else {}
        ssl.update({word: options[name] for name, word in SSL_FILES.items() if name in options})
        options["ssl"] = ssl
        if options.get("unix_socket"):
            options["host"] = options["unix_socket"]
        else:
            _take_first_host(settings)
        return super().settings_to_cmd_args_env(settings, parameters)


def _asked(name: str, given: Any) -> Any:
    """A credential; a callable's answer may come with the seconds for which it is good."""
    if not callable(given):
        return given
    answer = given()
    text = answer[0] if isinstance(answer, tuple) and answer else answer
    if not isinstance(text, str):
        raise ImproperlyConfigured(
            f"The callable {name} answered {type(text).__name__}, not text or (text, seconds)."
        )
    return text


def _take_first_host(settings: dict[str, Any]) -> None:
    """Have `a` of "a,b:3307", or the host and the port of "[::1]:3308,a"."""
    options = settings["OPTIONS"]
    first = (options.get("host") or settings["HOST"]).split(",")[0].strip()
    name, colon, port = first.rpartition(":")
    # More than one colon, and no brackets: an IPv6 address.
    if colon and port.isdigit() and (name.endswith("]") or ":" not in name):
        first, options["port"] = name, port
    options["host"] = first.strip("[]")
