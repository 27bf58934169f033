"""Write files that only their owner may read, all of a file or nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from slack_alert.engine.system.file_ownership import open_new


def replace_private(path: Path, content: bytes, *, is_synced: bool) -> None:
    """Write a private file in the place of any other one; `is_synced`: it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write(fresh, content, is_synced=is_synced)
    os.replace(fresh, path)  # noqa: PTH105 - as for `os.fsync`
    if is_synced:
        _sync_folder(path.parent)


def create_private(path: Path, content: bytes) -> bool:
    """Write a private file, on the disk when this returns; return False where another process was first."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        _write(fresh, content, is_synced=True)
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def _write(path: Path, content: bytes, *, is_synced: bool) -> None:
    with os.fdopen(open_new(path, is_private=True), "wb") as file:
        file.write(content)
        if is_synced:
            file.flush()
            os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folders.
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
