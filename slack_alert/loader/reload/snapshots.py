"""The plugin files as they were executed last, for those who execute them in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock


class Accepted:
    """What each job's files hold, whatever lies on the disk by now; used on any thread."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._lock = Lock()
        #: By path. Never changed but replaced: whoever holds it can tell by `is` whether it is still the same.
        self._contents: Mapping[str, bytes] = dict(contents)
        #: Jobs that run as before, because the new version does not have them, or does not load.
        self._held: dict[str, Mapping[str, bytes]] = {}
        #: What processes have imported that nobody did here.
        self._found: dict[str, bytes] = {}

    def of(self, job: str) -> Mapping[str, bytes]:
        """Give the contents of files by their paths, as this job shall see them; the same object while that holds."""
        return self._held.get(job, self._contents)

    def hold(self, job: str) -> None:
        """Let a job see what it sees now, whatever is accepted later."""
        self._held.setdefault(job, self._contents)

    def release(self, job: str) -> None:
        """Let a job see what is accepted."""
        self._held.pop(job, None)

    def renew(self, contents: Mapping[str, bytes]) -> None:
        """Accept what these files hold now."""
        with self._lock:
            new = {**self._found, **contents}
            if new != self._contents:
                self._contents = new

    def find(self, contents: Mapping[str, bytes]) -> None:
        """Have every process see these as the first one found them."""
        with self._lock:
            new = {path: content for path, content in contents.items() if path not in self._contents}
            if new:
                self._found |= new
                self._contents = {**self._contents, **new}

    def take_found(self) -> dict[str, bytes]:
        """Give what was found since this was asked last, to be followed."""
        with self._lock:
            found, self._found = self._found, {}
        return found
