"""Warn about plugins that other users may write: a plugin has all rights and secrets of this program."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from slack_alert.core.catalog import Problem, Severity
from slack_alert.engine.system.other_writers import who_else


def writable_by_others(folder: str, shown: str, entries: Sequence[os.DirEntry[str]]) -> Iterator[Problem]:
    """Yield a problem if others may write the folder, or else one for all files directly in it that they may write."""
    if who := who_else(folder):
        yield _problem(shown, f"{who} may write this folder", shlex.quote(folder))
        return
    names = sorted(entry.name for entry in entries if entry.name.endswith(".py"))
    found = {name: who for name in names if (who := who_else(f"{folder}{os.sep}{name}"))}
    if found:
        name, who = next(iter(found.items()))
        more = f", and {len(found) - 1} more of this folder" if len(found) > 1 else ""
        pattern = "*.py" if more else shlex.quote(name)
        yield _problem(f"{shown}/{name}", f"{who} may write this file{more}", f"{shlex.quote(folder)}{os.sep}{pattern}")


def _problem(shown: str, message: str, path: str) -> Problem:
    hint = f"Plugins run with the rights and the token of this program: `chmod go-w {path}`."
    return Problem(shown, 1, 1, Severity.WARNING, "SA104", message, hint)
