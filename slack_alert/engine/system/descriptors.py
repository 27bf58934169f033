"""Keep some file descriptors for this program itself, so that a function that leaks them does not silence the others.

The limit belongs to the process, and so does what is set aside here. Where there is no such limit nothing is done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

#: At most so many, and no more than a part of all.
_COUNT, _PART = 32, 4


class _Reserve:
    """How many are set aside, and how many need them now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        #: The limit, and how many are above it.
        self.limit = self.count = 0
        self.users = 0


_reserve = _Reserve()


def set_aside() -> None:
    """Set some aside once, above the limit or below it, where the system has the limit."""
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
def spare() -> Iterator[None]:
    """Let files and connections be opened meanwhile, also where functions have taken all there are.

    For a moment only: whoever takes more than is there takes from these as well.
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
    """Set the limit anew, unless somebody else has changed it: then it is theirs."""
    if resource is not None and before != after and resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before:
        _set_limit(after)


def _set_limit(soft: int) -> None:
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
