"""Read the `stat` signatures of plugin files; no file is opened, so this can be repeated every few seconds."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from slack_alert.loader.files.discovery import is_plugin_folder

#: The hash of device, inode, mode, size, mtime and ctime, because thousands are kept; for a folder that of the first
#: three, because its files have their own.
Signature = int

_WANTING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def read_signatures(folder: str) -> dict[str, Signature]:
    """Return the signature of every Python file and every folder below `folder`, and of itself, by path.

    Links are followed, each folder is walked once. What cannot be examined is left out; raise OSError if this process
    lacks the resources to examine anything.
    """
    found: dict[str, Signature] = {}
    walked: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            stat = os.stat(here)  # noqa: PTH116 - a Path for each file takes longer
        except OSError:
            continue
        if (place := (stat.st_dev, stat.st_ino)) in walked:
            continue
        walked.add(place)
        found[here] = hash((*place, stat.st_mode))
        for entry, is_folder in _entries(here):
            if is_folder:
                waiting.append(entry.path)
            elif (signature := _signature(entry)) is not None:
                found[entry.path] = signature
    return found


def _entries(here: str) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Yield the folders and files that may matter to plugins, and whether they are folders."""
    try:
        with os.scandir(here) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if error.errno in _WANTING:
            raise
        return
    for entry in found:
        if _is_folder(entry):
            if is_plugin_folder(entry):
                yield entry, True
        elif entry.name.endswith(".py"):
            yield entry, False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _signature(entry: os.DirEntry[str]) -> Signature | None:
    try:
        stat = entry.stat()
    except OSError:
        return None
    return hash((stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
