"""Creates files and folders that belong to the owner of their parent folder, also where root creates them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

#: The rights of group and others.
_SHARED = stat.S_IRWXG | stat.S_IRWXO
_FILE = 0o666
#: Without setuid and the sticky bit.
_FOLDER = 0o2777


def make_folder(path: Path, *, is_closed: bool = False) -> None:
    """Create a folder and its parents where they are missing; a closed one is as a closed file is."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir(0o700 if is_closed else 0o777)
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    if hasattr(os, "fchown"):
        opened = os.open(path, os.O_RDONLY)
        try:
            _hand_over(opened, path.parent, _FOLDER, is_closed=is_closed)
        finally:
            os.close(opened)


def make_file(path: Path, content: str = "", *, is_closed: bool = False) -> None:
    """Create a file with this content, unless it exists."""
    with suppress(FileExistsError), os.fdopen(open_new(path, is_closed=is_closed), "w", encoding="utf-8") as file:
        file.write(content)


def open_new(path: Path, *, is_private: bool = False, is_closed: bool = False) -> int:
    """Create a file and return its descriptor, open for reading and writing; raise FileExistsError if it exists.

    Only the owner may read or write a private file; a closed one also those who may write in its folder.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if is_private or is_closed else _FILE)
    try:
        hand_over(file, path.parent, is_private=is_private, is_closed=is_closed)
    except BaseException:
        os.close(file)
        raise
    return file


def hand_over(file: int, folder: Path, *, is_private: bool = False, is_closed: bool = False) -> None:
    """Set the owner of a new file to that of its folder; unless it is private, also the rights of group and others."""
    if hasattr(os, "fchown"):
        _hand_over(file, folder, 0 if is_private else _FILE, is_closed=is_closed)


def _hand_over(file: int, folder: Path, allowed: int, *, is_closed: bool) -> None:
    above = folder.stat()
    # A sticky folder is shared by all users, such as /tmp: its owner does not matter for the files in it.
    if above.st_mode & stat.S_ISVTX:
        return
    is_somebody_elses = above.st_uid != os.geteuid()
    # On a disk that does not let root change owners, or where the group is not ours, the file stays as created.
    with suppress(PermissionError):
        if is_somebody_elses and os.geteuid() == 0:
            os.fchown(file, above.st_uid, above.st_gid)
            if allowed:
                rights = above.st_mode & ~_SHARED | _shared(above.st_mode) if is_closed else above.st_mode
                os.fchmod(file, rights & allowed)
        elif shared := _shared(above.st_mode) & allowed:
            os.fchown(file, -1, above.st_gid)
            os.fchmod(file, stat.S_IMODE(os.fstat(file).st_mode) | shared)


def _shared(mode: int) -> int:
    """Return the rights of group and others, as far as these may write in a folder."""
    group = stat.S_IRWXG if mode & stat.S_IWGRP else 0
    others = stat.S_IRWXO if mode & stat.S_IWOTH else 0
    return mode & (group | others) & _SHARED
