"""Who new files and folders belong to: whoever owns the folder they are made in, also where root makes them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

#: What group and others may do with a file.
_SHARED = stat.S_IRWXG | stat.S_IRWXO
_FILE = 0o666
#: Without setuid and the sticky bit.
_FOLDER = 0o2777


def make_folder(path: Path) -> None:
    """Make a folder and those above it, as far as they are missing."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    if hasattr(os, "fchown"):
        opened = os.open(path, os.O_RDONLY)
        try:
            _hand_over(opened, path.parent, _FOLDER)
        finally:
            os.close(opened)


def make_file(path: Path, content: str = "") -> None:
    """Make a file, unless there is one."""
    with suppress(FileExistsError), os.fdopen(open_new(path), "w", encoding="utf-8") as file:
        file.write(content)


def open_new(path: Path, *, is_private: bool = False) -> int:
    """Make a file and return its descriptor, open for reading and writing; raise FileExistsError where there is one.

    A private one is its owner's alone.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if is_private else _FILE)
    try:
        hand_over(file, path.parent, is_private=is_private)
    except BaseException:
        os.close(file)
        raise
    return file


def hand_over(file: int, folder: Path, *, is_private: bool = False) -> None:
    """Give a new file the owner of its folder, and unless it is private what the folder lets group and others do."""
    if hasattr(os, "fchown"):
        _hand_over(file, folder, 0 if is_private else _FILE)


def _hand_over(file: int, folder: Path, allowed: int) -> None:
    above = folder.stat()
    # Such a folder is everybody's, /tmp: it says nothing about who uses what lies in it.
    if above.st_mode & stat.S_ISVTX:
        return
    is_somebody_elses = above.st_uid != os.geteuid()
    # On a disk that lets root do no such thing, or where the group is not ours, the file stays as it was made.
    with suppress(PermissionError):
        if is_somebody_elses and os.geteuid() == 0:
            os.fchown(file, above.st_uid, above.st_gid)
            if allowed:
                os.fchmod(file, above.st_mode & allowed)
        elif shared := _shared(above.st_mode) & allowed:
            os.fchown(file, -1, above.st_gid)
            os.fchmod(file, stat.S_IMODE(os.fstat(file).st_mode) | shared)


def _shared(mode: int) -> int:
    """Return the rights of those who may write in a folder beside its owner."""
    group = stat.S_IRWXG if mode & stat.S_IWGRP else 0
    others = stat.S_IRWXO if mode & stat.S_IWOTH else 0
    return mode & (group | others) & _SHARED
