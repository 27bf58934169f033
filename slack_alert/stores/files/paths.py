"""Paths of the files beside a database, and the folder they are in."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timezone
from pathlib import Path

from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import StoreError
from slack_alert.engine.system.file_ownership import make_file, make_folder


def inbox_path(database: Path) -> Path:
    """Return the path of the inbox beside a database."""
    return database.with_name(database.name + ".inbox")


def lock_path(database: Path) -> Path:
    """Return the path of the lock beside a database."""
    return database.with_name(database.name + ".lock")


def journal_path(database: Path) -> Path:
    """Return the path of the journal beside a database."""
    return database.with_name(database.name + ".said")


def audit_key_path(database: Path) -> Path:
    """Return the path of the audit's key beside a database."""
    return database.with_name("audit.key")


def aside_path(path: Path, why: str, at: datetime) -> Path:
    """Return an unused path beside a file for a copy of it, such as `state.db.damaged-20261121T093000`."""
    base = path.with_name(f"{path.name}.{why}-{at:%Y%m%dT%H%M%S}")
    names = (base.with_name(f"{base.name}{suffix}") for suffix in ("", *(f"-{number}" for number in range(2, 10_000))))
    return next(name for name in names if not os.path.lexists(name))


def set_aside(path: Path) -> Path | None:
    """Rename a damaged file and its rollback journal, so that a new one can be created; return its new path.

    None: another process did so just now. Raise StoreError if this user may not.
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
    """Create the folder for a new file, which others may not enter; one of our own gets a .gitignore for all in it."""
    folder = path.parent
    try:
        is_ours = folder.name == ".slack_alert" or not folder.exists()
        if folder.parent.is_dir():
            make_folder(folder, is_closed=True)
        else:  # Missing parents are not created: such a path is most likely a mistake.
            folder.mkdir(0o700)
        ignore = folder / ".gitignore"
        if is_ours and not ignore.exists():
            make_file(ignore, "*\n")
    except OSError as error:
        advice = machine_lack(error) or "Give this user the right to write there, or set database to another place."
        said = f"{folder}: the folder cannot be made or written: {error.strerror or error}."
        raise StoreError(f"{said} {advice}") from error


def read_only(path: Path) -> str:
    """Return a sentence where the file system that a path is on is read-only; "" where it is not, or unknown."""
    folder = next((parent for parent in (path, *path.absolute().parents) if parent.exists()), None)
    if folder is None or not hasattr(os, "statvfs") or not os.statvfs(folder).f_flag & os.ST_RDONLY:
        return ""
    return machine_lack(OSError(errno.EROFS, os.strerror(errno.EROFS)))
