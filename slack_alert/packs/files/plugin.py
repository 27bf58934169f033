"""Notice changed files, by looking every few seconds or told by the system; also what changed during a downtime."""

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
#: How often files are looked at where nothing tells of changes.
_LOOK_SECONDS = 5


@deco(seconds=5, emits="changed_file", enabled="not config.notify")
def watch(ctx: Context) -> list[dict[str, object]]:
    """Emit `changed_file` for each file that was created, modified or deleted since the last look."""
    events, seen = _noticed(ctx)
    if seen is not None:
        ctx.store.set("seen", seen)
    return events


@deco(emits="changed_file", enabled="config.notify")
def notify(ctx: Context) -> Iterator[dict[str, object] | None]:
    """Emit `changed_file` as soon as the system tells of a change, and the file stays as it is."""
    while True:
        folders = _present(ctx.config["directories"])
        for _ in _changes_told(folders):
            time.sleep(ctx.config["settle"].total_seconds())
            events, seen = _noticed(ctx)
            yield from events[:-1]
            if seen is not None:
                # Kept with the last one, or alone: a kill before that tells some again, and forgets none.
                ctx.store.set("seen", seen)
                yield events[-1] if events else None
            if _present(ctx.config["directories"]) != folders:
                break
        else:
            return  # It is to end.


def _changes_told(folders: Sequence[str]) -> Iterator[object]:
    """Yield at once, whenever the system tells of changes, and every few seconds: a network's disk tells of none."""
    from watchfiles import watch

    yield None
    if folders:
        yield from watch(
            *folders, watch_filter=None, rust_timeout=_LOOK_SECONDS * 1000, yield_on_timeout=True, raise_interrupt=False
        )
    else:
        time.sleep(_LOOK_SECONDS)
        yield None


def _present(folders: Sequence[Path]) -> list[str]:
    return [os.fspath(folder) for folder in folders if Path(folder).is_dir()]


def _noticed(ctx: Context) -> tuple[list[dict[str, object]], Mapping[str, State] | None]:
    """Return what has changed since the last look, and what is seen now; None: it is the same."""
    before: Mapping[str, State] | None = ctx.store.get("seen")
    now = dict(_look(ctx.config["directories"], ctx.config["patterns"], ctx.config["ignore"]))
    if before is None:  # The first look only notes what is there.
        return [], now
    settled = time.time() - ctx.config["settle"].total_seconds()
    # A file that is being written is told once it stays as it is.
    seen = {
        path: before[path] if _is_young(state, settled) and path in before else state for path, state in now.items()
    }
    seen = {path: state for path, state in seen.items() if path in before or not _is_young(state, settled)}
    return [*_changes(before, seen), *_deletions(before, now, time.time())], None if seen == before else seen


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
