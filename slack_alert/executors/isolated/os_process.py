"""Limit and measure the resources of this process; where the system has no limits, none are set."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class ResourceUsage(NamedTuple):
    """The resources that this process has used so far."""

    #: Processor time in seconds.
    cpu: float
    #: The peak memory in bytes since `reset_peak_memory`, or since the start where that is not possible.
    memory: int


if sys.platform == "win32":

    def resource_usage() -> ResourceUsage:
        """Return nothing used: it is not known on this system."""
        return ResourceUsage(0.0, 0)

    def reset_peak_memory() -> None:
        """Do nothing, as above."""

    def limit_memory(most: int | None) -> None:
        """Do nothing: there is no such limit on this system."""

    def limit_cpu_time(seconds: float | None) -> None:
        """Do nothing, as above."""

else:
    import resource

    #: Private memory that can be written: what libraries map of their files does not count.
    _MEMORY = resource.RLIMIT_DATA
    _PROC = Path("/proc/self")
    _UNIT = 1 if sys.platform == "darwin" else 1024

    def resource_usage() -> ResourceUsage:
        """Return what this process has used so far."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return ResourceUsage(usage.ru_utime + usage.ru_stime, _peak() or usage.ru_maxrss * _UNIT)

    def reset_peak_memory() -> None:
        """Start a new measurement of peak memory, so that a run does not answer for earlier ones."""
        with suppress(OSError):  # Only Linux supports it.
            (_PROC / "clear_refs").write_bytes(b"5")

    def _peak() -> int:
        """Return the peak memory that Linux can reset; that of `getrusage` cannot be."""
        with suppress(OSError):
            for line in (_PROC / "status").read_bytes().splitlines():
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0

    def limit_memory(most: int | None) -> None:
        """Limit the memory of this process in bytes (None: no limit); beyond it MemoryError is raised."""
        _set(_MEMORY, most)

    def limit_cpu_time(seconds: float | None) -> None:
        """Limit the further processor time of this process (None: no limit); beyond it SIGXCPU ends it."""
        _set(resource.RLIMIT_CPU, None if seconds is None else math.ceil(resource_usage().cpu + seconds))
        # No core dump for this end.
        _set(resource.RLIMIT_CORE, None if seconds is None else 0)

    def _set(which: int, most: int | None) -> None:
        _, hard = resource.getrlimit(which)
        is_beyond = most is None or (hard != resource.RLIM_INFINITY and most > hard)
        resource.setrlimit(which, (hard if is_beyond or most is None else most, hard))


_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make orphaned descendants children of this process, so that they are found; Linux only."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_dead_children() -> bool:
    """Return whether there are zombies: each takes an entry in the system's process table."""
    if sys.platform != "linux":
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False
