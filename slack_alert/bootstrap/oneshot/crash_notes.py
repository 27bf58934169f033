"""Write the marker of a command that `exec` begins; the command waits for it, so this imports little."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slack_alert.bootstrap.addresses import address, address_error
from slack_alert.bootstrap.plugin_files import database
from slack_alert.core.model.request import Request
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.requests.external_runs import interruption_request
from slack_alert.loader import plugins_folder
from slack_alert.stores import ExecMarker, inbox_path

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def write_exec_marker(settings: Settings, name: str, *, started: datetime, to: str | None) -> ExecMarker | None:
    """Write that a command begins; if this process is killed before `remove`, it is reported as interrupted.

    Return None in a dry run, which keeps nothing.
    """
    if settings.dry_run:
        return None
    plugins_folder(settings.path)  # A wrong path raises before anything is created there.
    name = Redaction(settings.secrets())(name)
    where = address(settings, to) if to and address_error(settings, to) is None else None
    return ExecMarker(inbox_path(database(settings)), Request.of(interruption_request(name, started, where), started))
