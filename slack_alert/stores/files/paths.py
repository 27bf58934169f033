"""Where a database lies: its folder, and the files beside it."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timezone
from pathlib import Path

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.engine.system.file_ownership import make_file, make_folder


def inbox_path(database: Path) -> Path:
    """Return the file of the inbox beside a database."""
    return database.with_name(database.name + ".inbox")


def lock_path(database: Path) -> Path:
    """Return the file of the lock beside a database."""
    return database.with_name(database.name + ".lock")


def journal_path(database: Path) -> Path:
    """Return the file of the journal beside a database."""
    return database.with_name(database.name + ".said")


def aside_path(path: Path, why: str, at: datetime) -> Path:
    """Return a name beside a file that nothing has yet, for what is kept of it: `state.db.damaged-20261121T093000`."""
    base = path.with_name(f"{path.name}.{why}-{at:%Y%m%dT%H%M%S}")
    names = (base.with_name(f"{base.name}{suffix}") for suffix in ("", *(f"-{number}" for number in range(2, 10_000))))
    return next(name for name in names if not os.path.lexists(name))


def set_aside(path: Path) -> Path | None:
    """Rename a damaged file, and what belongs to it, so that a new one can be made; return its new name.

    None: somebody else has done so just now. Raise StoreError where this user may not.
    """
    kept = aside_path(path, "damaged", datetime.now(timezone.utc))
    try:
        path.rename(kept)
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists():
            journal.rename(kept.with_name(f"{kept.name}-journal"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"{path}: it is damaged, and cannot be set aside: {error.strerror or error}. Move it away."
        ) from error
    return kept


def prepare_folder(path: Path) -> None:
    """Make the folder of a file that is about to be made; a folder of our own keeps itself out of version control."""
    folder = path.parent
    try:
        is_ours = folder.name == ".slack_alert" or not folder.exists()
        if folder.parent.is_dir():
            make_folder(folder)
        else:  # A path that is not there at all is a mistake, and no place to make.
            folder.mkdir()
        ignore = folder / ".gitignore"
        if is_ours and not ignore.exists():
            make_file(ignore, "*\n")
    except OSError as error:
        advice = machine_lack(error) or "Give this user the right to write there, or set database to another place."
        said = f"{folder}: the folder cannot be made or written: {error.strerror or error}."
        raise StoreError(f"{said} {advice}") from error


def read_only(path: Path) -> str:
    """Say that the file system is read-only which a file is, or would be, on; empty: it is not, or nobody can tell."""
    folder = next((parent for parent in (path, *path.absolute().parents) if parent.exists()), None)
    if folder is None or not hasattr(os, "statvfs") or not os.statvfs(folder).f_flag & os.ST_RDONLY:
        return ""
    return machine_lack(OSError(errno.EROFS, os.strerror(errno.EROFS)))
