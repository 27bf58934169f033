"""The files a configuration points at; imported first, because new plugins are read beside all other imports."""

from __future__ import annotations

from pathlib import Path

from slack_alert.loader import FoundFiles, find_plugins
from slack_alert.settings import Settings, sqlite_path


def database(settings: Settings) -> Path:
    """Return the file everything is kept in; raise SettingsError for a database this version does not know."""
    return sqlite_path(settings.database)


def code_cache(settings: Settings) -> Path | None:
    """Name the folder of compiled code; a dry run leaves no trace, not even that."""
    return None if settings.dry_run else database(settings).with_name("code")


def find(settings: Settings) -> FoundFiles:
    """Find every plugin; many new ones are read beside what comes next."""
    return find_plugins(settings.path, settings.markers, code_cache(settings))
