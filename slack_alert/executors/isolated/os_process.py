"""What a process may use, and what it has used; where the system sets no limits, there are none."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class ResourceUsage(NamedTuple):
    """What this process has used so far."""

    #: Seconds of the processor.
    cpu: float
    #: The most memory it had since `forget_peak`, or ever where that cannot be, in bytes.
    memory: int


if sys.platform == "win32":

    def used() -> ResourceUsage:
        """Say nothing: it is not known here."""
        return ResourceUsage(0.0, 0)

    def forget_peak() -> None:
        """Do nothing, as above."""

    def set_memory(most: int | None) -> None:
        """Do nothing: there is no such limit here."""

    def set_cpu(seconds: float | None) -> None:
        """Do nothing, as above."""

else:
    import resource

    #: Private memory that can be written: what libraries map of their files does not count.
    _MEMORY = resource.RLIMIT_DATA
    _PROC = Path("/proc/self")
    _UNIT = 1 if sys.platform == "darwin" else 1024

    def used() -> ResourceUsage:
        """Say what this process has used so far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return ResourceUsage(usage.ru_utime + usage.ru_stime, _peak() or usage.ru_maxrss * _UNIT)

    def forget_peak() -> None:
        """Begin anew to measure the most memory, so that a run does not answer for those before it."""
        with suppress(OSError):  # Only Linux can.
            (_PROC / "clear_refs").write_bytes(b"5")

    def _peak() -> int:
        """Read what Linux says of it; what it tells everybody cannot be begun anew."""
        with suppress(OSError):
            for line in (_PROC / "status").read_bytes().splitlines():
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0

    def set_memory(most: int | None) -> None:
        """Let this process have so much memory (None: as much as it likes); beyond it there is a MemoryError."""
        _set(_MEMORY, most)

    def set_cpu(seconds: float | None) -> None:
        """Let this process use so much more of the processor (None: any); the system ends it with SIGXCPU."""
        _set(resource.RLIMIT_CPU, None if seconds is None else math.ceil(used().cpu + seconds))
        # That end is no crash anybody wants to look into.
        _set(resource.RLIMIT_CORE, None if seconds is None else 0)

    def _set(which: int, most: int | None) -> None:
        _, hard = resource.getrlimit(which)
        is_beyond = most is None or (hard != resource.RLIM_INFINITY and most > hard)
        resource.setrlimit(which, (hard if is_beyond or most is None else most, hard))


_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Have them become children of this process, by which they are found; only Linux can."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_dead_children() -> bool:
    """Return whether there are any whose end nobody has taken note of: each takes a place in the system's table."""
    if sys.platform != "linux":
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False
