"""The files of a configuration; apart and imported first, because new plugins are read during all other imports."""

from __future__ import annotations

from pathlib import Path

from slack_alert.loader import FoundFiles, find_plugins
from slack_alert.settings import Settings, sqlite_path


def database(settings: Settings) -> Path:
    """Return the database's file; raise SettingsError for a kind of database that this version does not support."""
    return sqlite_path(settings.database)


def code_cache(settings: Settings) -> Path | None:
    """Return the folder of compiled code, or None in a dry run, which leaves no files."""
    return None if settings.dry_run else database(settings).with_name("code")


def find(settings: Settings) -> FoundFiles:
    """Find the plugin files; where many are new, they are read in the background."""
    return find_plugins(
        settings.path, settings.markers, code_cache(settings), packs=settings.packs, zone=settings.timezone
    )
