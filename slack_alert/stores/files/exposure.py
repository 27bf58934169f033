"""Tell whether other users could leave requests in the inbox, and so ask in the name of somebody else."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from slack_alert.engine.system.other_writers import who_else
from slack_alert.stores.files.paths import inbox_path

#: SQLite writes into these as well.
_BESIDE = ("", "-wal", "-shm", "-journal")


def inbox_exposure(database: Path) -> str:
    """Return who besides its owner may write the inbox of a database, or its folder, and what to do; empty: nobody."""
    inbox = inbox_path(database)
    for path in (inbox.parent, *(inbox.with_name(f"{inbox.name}{suffix}") for suffix in _BESIDE)):
        if who := who_else(str(path)):
            said = f"{who} may write {path}, and could ask there in the name of anybody"
            return f"{said}: the terminal is closed until {_remedy(path)}."
    return ""


def _remedy(path: Path) -> str:
    with suppress(OSError):
        if os.stat(path).st_mode & stat.S_ISVTX:  # noqa: PTH116 - as elsewhere
            return "`database` is in a folder of your own"
    return f"`chmod go-w {shlex.quote(str(path))}`"
