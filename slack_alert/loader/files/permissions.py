"""Warn about plugins that other users may write: a plugin has all rights and secrets of this program."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence

from slack_alert.core.catalog import Problem, Severity

_OTHERS = stat.S_IWOTH | stat.S_IWGRP


def writable_by_others(folder: str, shown: str, entries: Sequence[os.DirEntry[str]]) -> Iterator[Problem]:
    """Yield a problem if others may write the folder, or else one for all files directly in it that they may write."""
    if who := _who_else(folder):
        yield _problem(shown, f"{who} may write this folder", shlex.quote(folder))
        return
    names = sorted(entry.name for entry in entries if entry.name.endswith(".py"))
    found = {name: who for name in names if (who := _who_else(f"{folder}{os.sep}{name}"))}
    if found:
        name, who = next(iter(found.items()))
        more = f", and {len(found) - 1} more of this folder" if len(found) > 1 else ""
        pattern = "*.py" if more else shlex.quote(name)
        yield _problem(f"{shown}/{name}", f"{who} may write this file{more}", f"{shlex.quote(folder)}{os.sep}{pattern}")


def is_private(group: str, members: Iterable[str], owner: str) -> bool:
    """Return whether a group consists of the owner alone, as where every user has a group of the same name."""
    return group == owner and not set(members) - {owner}


def _problem(shown: str, message: str, path: str) -> Problem:
    hint = f"Plugins run with the rights and the token of this program: `chmod go-w {path}`."
    return Problem(shown, 1, 1, Severity.WARNING, "SA104", message, hint)


if sys.platform == "win32":

    def _who_else(path: str) -> str:  # noqa: ARG001 - on Windows the mode does not say who may write
        return ""

else:
    import grp
    import pwd

    def _who_else(path: str) -> str:
        """Return who besides the owner may write a file, according to its mode; empty: nobody."""
        try:
            found = os.stat(path)  # noqa: PTH116 - a Path for each file takes longer
            if not found.st_mode & _OTHERS or os.statvfs(path).f_flag & os.ST_RDONLY:
                return ""
        except OSError:
            return ""
        return "everybody" if found.st_mode & stat.S_IWOTH else _members(found.st_gid, found.st_uid)

    def _members(group: int, owner: int) -> str:
        """Return the name of a group; empty: only the owner is in it."""
        try:
            entry = grp.getgrgid(group)
        except KeyError:
            return f"the group {group}"
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = ""
        return "" if is_private(entry.gr_name, entry.gr_mem, name) else f"the group {entry.gr_name}"
