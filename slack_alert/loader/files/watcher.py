"""Notice that something changed among the plugin files, without reading them.

The system reports most changes at once. It misses some: on network shares, on mounts that another machine or
container writes to, behind links, or when it has no watches left. So the files are also polled every few seconds.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from slack_alert.loader.files.discovery import PACK_FILES, is_plugin_folder

log = logging.getLogger(__name__)

#: Milliseconds: an edit is reported once nothing has followed it for _QUIET, and after _LONGEST in any case.
_QUIET, _LONGEST = 200, 800
#: Seconds between two polls of all files.
_LOOK = 4.0

#: The hash of device, inode, mode, size, mtime and ctime, because thousands are kept; for a folder that of the first
#: three, because its files have their own.
_Signature = int

_WANTING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class _Stop:
    """A flag that stops the watch; `threading.Event` would become another class once gevent has patched it."""

    def __init__(self) -> None:
        self.is_up = False

    def is_set(self) -> bool:
        return self.is_up


class PluginWatcher:
    """Watches a plugins folder and one of packs, on threads that `blocking` may lend: gevent's own must not block."""

    def __init__(self, folder: Path, *, packs: Path | None = None, blocking: Callable[..., Any] | None = None) -> None:
        self._folder = folder
        self._packs = packs
        self._blocking = blocking or (lambda call, *arguments: call(*arguments))
        self._stop = _Stop()
        self._has_changed = False
        self._looked = 0.0
        #: A poll is running; on a disk that does not answer it may take long.
        self._is_looking = False
        #: The result of the previous poll; the first poll finds that everything is new.
        self._seen: dict[str, _Signature] = {}
        #: The watched folder was replaced by another one.
        self._has_moved = False

    def start(self) -> None:
        """Start or restart watching."""
        self.stop()
        self._stop = _Stop()
        if self._packs is None or self._folder.is_dir():
            self._begin("watch", self._watch, self._stop, [self._folder], True)
        if self._packs is not None and self._packs.is_dir():
            # The folders themselves: below them may be virtual environments, with more folders than can be watched.
            self._begin("watch packs", self._watch, self._stop, [self._packs, *_pack_folders(self._packs)], False)

    def stop(self) -> None:
        """Stop watching."""
        self._stop.is_up = True

    def has_changed(self, passed: float) -> bool:
        """Return whether something may have changed since the last call; `passed` is monotonic seconds."""
        if self._has_moved:
            self._has_moved = False
            self.start()
        if passed - self._looked >= _LOOK and not self._is_looking:
            self._looked = passed
            self._is_looking = True
            if not self._begin("look", self._look):
                self._is_looking = False
        changed, self._has_changed = self._has_changed, False
        return changed

    def _begin(self, name: str, call: Callable[..., object], *arguments: object) -> bool:
        thread = threading.Thread(target=self._blocking, args=(call, *arguments), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # No further thread can be started.
            log.debug("plugin files are not looked at now", extra=_reason(error))
            return False
        return True

    def _look(self) -> None:
        top = str(self._folder)
        try:
            before, self._seen = self._seen, _read_signatures(top)
            if self._packs is not None:
                self._seen |= _read_signatures(str(self._packs))
            if self._seen != before:
                self._has_changed = True
                self._has_moved = top in self._seen and top in before and self._seen[top] != before[top]
        except OSError as error:  # It says nothing about the files.
            log.debug("plugin files are not looked at now", extra=_reason(error))
        finally:
            self._is_looking = False

    def _watch(self, stop: _Stop, folders: Sequence[Path], is_deep: bool) -> None:
        try:
            from watchfiles import watch

            # It logs every change, and the log is about jobs.
            logging.getLogger("watchfiles").setLevel(logging.WARNING)
            for changes in watch(
                *folders, watch_filter=None, stop_event=stop, raise_interrupt=False, rust_timeout=0,
                step=_QUIET, debounce=_LONGEST, ignore_permission_denied=True, recursive=is_deep,
            ):  # fmt: skip
                if any(_matters(path) for _, path in changes):
                    self._has_changed = True
        except Exception as error:  # noqa: BLE001 - whatever it is, polling goes on
            if not stop.is_up:
                log.warning("plugin files cannot be watched, they are looked at instead", extra=_reason(error))


def _read_signatures(folder: str) -> dict[str, _Signature]:
    """Return the signature of every Python file and every folder below `folder`, and of itself, by path.

    Links are followed, each folder is walked once. What cannot be examined is left out; raise OSError if this process
    lacks the resources to examine anything.
    """
    found: dict[str, _Signature] = {}
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
        elif entry.name.endswith(".py") or entry.name in PACK_FILES:
            yield entry, False


def _pack_folders(packs: Path) -> list[Path]:
    try:
        return sorted(place for place in packs.iterdir() if place.is_dir() and not place.name.startswith("."))
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _signature(entry: os.DirEntry[str]) -> _Signature | None:
    try:
        stat = entry.stat()
    except OSError:
        return None
    return hash((stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


def _matters(path: str) -> bool:
    """Return whether a change may concern plugins: a Python file, a folder, or a link as in `..data`."""
    name = path.rpartition(os.sep)[2]
    if name in PACK_FILES:
        return True
    return name != "__pycache__" and (name.endswith(".py") or "." not in name or name.startswith(".."))


def _reason(error: Exception) -> dict[str, str]:
    said = str(error)
    is_short = any(part in said for part in _SHORT)
    advice = {"advice": "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances"} if is_short else {}
    return {"reason": f"{type(error).__name__}: {said}", "every": f"{_LOOK:g}s", **advice}


#: What watchfiles reports when the system has no watches, or no watchers, left.
_SHORT = ("watch limit reached", "os error 24", "os error 28", "Too many open files")
