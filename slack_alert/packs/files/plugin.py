"""Notice changed files, by looking every few seconds; what changed while the program was down is noticed as well."""

from __future__ import annotations

import os
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert import deco

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slack_alert import Context

#: What is compared of a file: when it was modified, its size, and which one it is.
State = list[float]


@deco(seconds=5, emits="changed_file")
def watch(ctx: Context) -> list[dict[str, object]]:
    """Emit `changed_file` for each file that was created, modified or deleted since the last look."""
    before: Mapping[str, State] | None = ctx.store.get("seen")
    now = dict(_look(ctx.config["directories"], ctx.config["patterns"], ctx.config["ignore"]))
    if before is None:  # The first look only notes what is there.
        ctx.store.set("seen", now)
        return []
    settled = time.time() - ctx.config["settle"].total_seconds()
    # A file that is being written is told once it stays as it is.
    seen = {
        path: before[path] if _is_young(state, settled) and path in before else state for path, state in now.items()
    }
    seen = {path: state for path, state in seen.items() if path in before or not _is_young(state, settled)}
    events = [*_changes(before, seen), *_deletions(before, now, time.time())]
    if seen != before:
        ctx.store.set("seen", seen)
    return events


@deco(minutes=1, repeat="update", recover=True)
def unreadable(ctx: Context) -> list[str]:
    """Tell which of the folders cannot be looked at."""
    return [said for folder in ctx.config["directories"] if (said := _trouble(folder))]


def _trouble(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        return f"{folder} cannot be watched: {error.strerror}"
    return ""


def _look(folders: Sequence[Path], patterns: Sequence[str], ignored: Sequence[str]) -> Iterator[tuple[str, State]]:
    """Yield each file with its state; what cannot be read is passed over, and links to folders are not followed."""
    waiting = [os.fspath(folder) for folder in folders]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if _is_like(entry.name, ignored):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif _is_like(entry.name, patterns):
                    found = entry.stat()
                    yield entry.path, [found.st_mtime, found.st_size, found.st_ino]
            except OSError:
                continue


def _changes(before: Mapping[str, State], seen: Mapping[str, State]) -> Iterator[dict[str, object]]:
    for path, state in seen.items():
        if path not in before:
            yield {"path": path, "time": state[0], "status": "created"}
        elif before[path] != state:
            yield {"path": path, "time": state[0], "status": "modified"}


def _deletions(before: Mapping[str, State], now: Mapping[str, State], at: float) -> Iterator[dict[str, object]]:
    for path in before:
        # What lies in a folder that cannot be read now need not be gone.
        if path not in now and not os.path.lexists(path) and _can_be_seen(path):
            yield {"path": path, "time": at, "status": "deleted"}


def _can_be_seen(path: str) -> bool:
    """Return whether the nearest folder above a file that is there can be read."""
    folder = next(parent for parent in Path(path).parents if parent.is_dir())
    return os.access(folder, os.R_OK | os.X_OK)


def _is_young(state: State, settled: float) -> bool:
    return state[0] > settled


def _is_like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
