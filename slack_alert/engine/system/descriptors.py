"""Reserves file descriptors for the program itself, so that a function that leaks them does not silence the others.

The limit belongs to the process, and so does the reserve. On systems without such a limit nothing is done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

#: The reserve: at most so many descriptors, and at most the limit divided by this.
_COUNT, _PART = 32, 4


class _Reserve:
    """The size of the reserve, and its present users."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        #: The soft limit without the reserve, and the number of reserved descriptors above it.
        self.limit = self.count = 0
        self.users = 0


_reserve = _Reserve()


def reserve_descriptors() -> None:
    """Reserve descriptors once: above the soft limit, or below it where the hard limit leaves no room."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(_COUNT, soft // _PART) if soft > 0 else 0
    with _reserve.lock:
        if _reserve.count or not count:
            return
        if hard != resource.RLIM_INFINITY and soft + count > hard:
            soft = hard - count
            _set_limit(soft)
        _reserve.limit, _reserve.count = soft, count


@contextmanager
def spare_descriptors() -> Iterator[None]:
    """Release the reserve meanwhile, so that files and connections can be opened even where functions took all others.

    For a moment only: meanwhile functions can take from the reserve as well.
    """
    with _reserve.lock:
        _reserve.users += 1
        if _reserve.users == 1:
            _move(_reserve.limit, _reserve.limit + _reserve.count)
    try:
        yield
    finally:
        with _reserve.lock:
            _reserve.users -= 1
            if _reserve.users == 0:
                _move(_reserve.limit + _reserve.count, _reserve.limit)


def _move(before: int, after: int) -> None:
    """Change the soft limit, unless other code has changed it meanwhile."""
    if resource is not None and before != after and resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before:
        _set_limit(after)


def _set_limit(soft: int) -> None:
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
