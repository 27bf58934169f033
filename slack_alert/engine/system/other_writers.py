"""Tell who besides its owner may write a file, by its mode."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable

_OTHERS = stat.S_IWOTH | stat.S_IWGRP


def is_private(group: str, members: Iterable[str], owner: str) -> bool:
    """Return whether a group consists of the owner alone, as where every user has a group of the same name."""
    return group == owner and not set(members) - {owner}


if sys.platform == "win32":

    def who_else(path: str) -> str:  # noqa: ARG001 - on Windows the mode does not say who may write
        return ""

else:
    import grp
    import pwd

    def who_else(path: str) -> str:
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
