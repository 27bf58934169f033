"""Become the parent of all that is started below this process, also of what its own parent has left alone."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Have them become children of this process, by which they are found; only Linux can."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_dead_children() -> bool:
    """Tell whether there are any whose end nobody has taken note of: each takes a place in the system's table."""
    if sys.platform != "linux":
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False
