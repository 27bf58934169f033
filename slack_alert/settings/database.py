"""The file that the setting `database` means."""

from __future__ import annotations

from pathlib import Path

from slack_alert.core.errors import SettingsError
from slack_alert.settings.model import SQLITE

_FORM = "Write sqlite:///relative/state.db or sqlite:////absolute/state.db."


def sqlite_path(url: str) -> Path:
    """Read the file from `sqlite:///relative.db` or `sqlite:////absolute/state.db`."""
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.partition("+")[0].isalnum():
        raise SettingsError("database is not a URL.", hint=_FORM)
    if scheme != "sqlite":
        # The rest may hold a password.
        raise SettingsError(f"database: {scheme}: is unknown; this version knows sqlite only.", hint=_FORM)
    path = url.removeprefix(SQLITE)
    if path == url or path in {"", ":memory:"}:
        raise SettingsError(f"database: {url} names no file.", hint=_FORM)
    return Path(path)
