"""Notice that something changed among the plugin files, without reading any."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: Milliseconds: an edit is told when this long nothing followed it, and after this long in any case.
_QUIET, _LONGEST = 200, 800
#: Seconds from one look to the next: at links, whose targets nobody tells of; at everything, where nothing is told.
_LINKS, _ALL = 1.0, 2.0

_Identity = tuple[int, int, int, int] | None


class _Stop:
    """A stop sign; an event of the standard library is another thing once gevent has patched it."""

    def __init__(self) -> None:
        self.is_up = False

    def is_set(self) -> bool:
        return self.is_up


class Watch:
    """Watches a folder of plugins, on a thread that `blocking` may lend: gevent's are none that may wait."""

    def __init__(self, folder: Path, *, blocking: Callable[..., Any] | None = None) -> None:
        self._folder = folder
        self._blocking = blocking or (lambda call, *arguments: call(*arguments))
        self._stop = _Stop()
        self._has_changed = False
        #: Nobody tells of changes: one must look.
        self._is_blind = False
        self._looked = 0.0
        #: What the folder and the links in it lead to.
        self._leads: dict[str, _Identity] = {}

    def start(self) -> None:
        """Begin, or begin anew."""
        self.stop()
        self._stop = _Stop()
        threading.Thread(target=self._blocking, args=(self._watch, self._stop), name="watch", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.is_up = True

    def has_changed(self, passed: float) -> bool:
        """Tell whether something may have changed since this was asked last; `passed` are seconds by any clock."""
        if passed - self._looked >= (_ALL if self._is_blind else _LINKS):
            self._looked = passed
            self._has_changed |= self._is_blind or self._leads_elsewhere()
        changed, self._has_changed = self._has_changed, False
        return changed

    def _watch(self, stop: _Stop) -> None:
        try:
            from watchfiles import watch

            self._leads = self._find_leads()
            # It tells of every change, and the log is about jobs.
            logging.getLogger("watchfiles").setLevel(logging.WARNING)
            for changes in watch(
                self._folder, watch_filter=None, stop_event=stop, raise_interrupt=False, rust_timeout=0,
                step=_QUIET, debounce=_LONGEST, ignore_permission_denied=True,
            ):  # fmt: skip
                if any(_matters(path) for _, path in changes):
                    self._leads = self._find_leads()
                    self._has_changed = True
        except Exception as error:  # noqa: BLE001 - whatever it is, there is another way
            if not stop.is_up:
                self._is_blind = True
                log.warning("plugin files cannot be watched, they are looked at instead", extra=_reason(error))

    def _leads_elsewhere(self) -> bool:
        top = str(self._folder)
        leads = {path: _identity(path) for path in self._leads}
        if leads == self._leads:
            return False
        if leads.get(top) is not None and leads[top] != self._leads.get(top):
            # What is watched is the folder that was there before.
            self.start()
        self._leads |= leads
        return True

    def _find_leads(self) -> dict[str, _Identity]:
        folders = [str(self._folder)]
        found = {folders[0]: _identity(folders[0])}
        for here, names, files in os.walk(self._folder):
            links = [path for name in (*names, *files) if os.path.islink(path := os.path.join(here, name))]  # noqa: PTH114, PTH118 - quicker
            found |= {path: _identity(path) for path in links}
        return found


def _matters(path: str) -> bool:
    """Tell whether a change may concern plugins: a file of Python, a folder, or a link as in `..data`."""
    name = path.rpartition(os.sep)[2]
    return name != "__pycache__" and (name.endswith(".py") or "." not in name or name.startswith(".."))


def _identity(path: str) -> _Identity:
    try:
        found = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    # A folder's own times change with everything in it, of which one is told.
    is_folder = os.path.isdir(path)  # noqa: PTH112 - as above
    return found.st_dev, found.st_ino, 0 if is_folder else found.st_size, 0 if is_folder else found.st_mtime_ns


def _reason(error: Exception) -> dict[str, str]:
    return {"reason": f"{type(error).__name__}: {error}", "every": f"{_ALL:g}s"}
