"""Celery's messages as files: what a worker and who sends to it agree on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

FOLDERS = ("inbox", "outbox", "processed", "control")


def settings(folder: Path, out: str = "inbox") -> dict[str, Any]:
    """Celery's settings for a worker. Its tasks report what they answer: no result is kept."""
    transport = {
        "data_folder_in": str(folder / "inbox"),
        "data_folder_out": str(folder / out),
        "control_folder": str(folder / "control"),
        "processed_folder": str(folder / "processed"),
        "store_processed": True,
        "polling_interval": 0.02,  # seconds
    }
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": transport,
        "task_ignore_result": True,
    }


class Sender:
    """Sends messages to a worker, each put into its inbox when it is whole.

    Kombu takes a file from its folder without regard to the lock under which it is being written.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Celery's own affair
            from celery import Celery

            self._app = Celery("sender", set_as_current=False)
        self._app.conf.update(settings(folder, "outbox"))
        self._folder = folder
        for name in FOLDERS:
            (folder / name).mkdir()

    def send(self, task: str, *arguments: Any) -> None:
        """One task more to do."""
        self._app.send_task(task, arguments)
        for message in (self._folder / "outbox").iterdir():
            message.rename(self._folder / "inbox" / message.name)
