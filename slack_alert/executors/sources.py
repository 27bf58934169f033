"""The plugin files as processes see them: handed over where they changed, and told back where one found more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # A plugin's function may take and give anything.

from slack_alert.core.structs import Struct
from slack_alert.executors.wire import Document


class Sources(Struct, frozen=True):
    """What the program knows of the plugin files."""

    #: By a job's name: the contents of files by their paths; the same object while nothing has changed.
    of: Callable[[str], Mapping[str, bytes]]
    #: Takes what a process has read itself.
    found: Callable[[Mapping[str, bytes]], object]


class Shelved(Struct, frozen=True):
    """What a process knows of them."""

    #: Finds a function by its file below PATH and its job's name; raises whatever loading it raises.
    find: Callable[[str, str], Callable[..., Any]]
    #: Takes what is another now; None: a file is there no more.
    take: Callable[[Mapping[str, bytes | None]], object]
    #: Gives what it has read itself since it was asked last.
    found: Callable[[], Mapping[str, bytes]]


def from_changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Document:
    """Make a document of what is another now, as text of one character a byte; None: a file is there no more."""
    if before is after:
        return {}
    changed = {path: content for path, content in after.items() if before.get(path) != content}
    return {**dict.fromkeys(before.keys() - after.keys()), **from_contents(changed)}


def to_changes(document: Mapping[str, str | None]) -> dict[str, bytes | None]:
    """Make of such a document what is another now."""
    return {path: None if text is None else text.encode("latin-1") for path, text in document.items()}


def from_contents(contents: Mapping[str, bytes]) -> Document:
    """Make a document of files."""
    return {path: content.decode("latin-1") for path, content in contents.items()}


def to_contents(document: Mapping[str, str]) -> dict[str, bytes]:
    """Make of such a document files."""
    return {path: text.encode("latin-1") for path, text in document.items()}
