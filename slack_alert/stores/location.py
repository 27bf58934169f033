"""Where a database lies: its path from the setting, its folder, and the files beside it."""

from __future__ import annotations

from pathlib import Path

from slack_alert.core.errors import SettingsError, StoreError

_PREFIX = "sqlite:///"
_FORM = "Write sqlite:///relative/state.db or sqlite:////absolute/state.db."


def sqlite_path(url: str) -> Path:
    """Read the file from `sqlite:///relative.db` or `sqlite:////absolute/state.db`."""
    scheme, colon, _ = url.partition(":")
    if not colon or not scheme.partition("+")[0].isalnum():
        raise SettingsError("database is not a URL.", hint=_FORM)
    if scheme != "sqlite":
        # The rest may hold a password.
        raise SettingsError(f"database: {scheme}: is unknown; this version knows sqlite only.", hint=_FORM)
    path = url.removeprefix(_PREFIX)
    if path == url or path in {"", ":memory:"}:
        raise SettingsError(f"database: {url} names no file.", hint=_FORM)
    return Path(path)


def inbox_path(database: Path) -> Path:
    """Give the file of the inbox beside a database."""
    return database.with_name(database.name + ".inbox")


def lock_path(database: Path) -> Path:
    """Give the file of the lock beside a database."""
    return database.with_name(database.name + ".lock")


def prepare_folder(path: Path) -> None:
    """Make the folder of a file that is about to be made; a folder of our own keeps itself out of version control."""
    folder = path.parent
    try:
        is_ours = folder.name == ".slack_alert" or not folder.exists()
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if is_ours and not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{folder}: the folder cannot be made or written: {error.strerror or error}. "
            "Give this user the right to write there, or set database to another place."
        ) from error
