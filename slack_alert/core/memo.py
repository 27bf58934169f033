"""Remember what was made of a value that is replaced now and then, such as the catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_S = TypeVar("_S")
_M = TypeVar("_M")


class Memo(Generic[_S, _M]):
    """Makes something of a source once, and anew when it is given another one; may be called on any thread."""

    def __init__(self, make: Callable[[_S], _M]) -> None:
        self._make = make
        #: The last source, and what was made of it. One tuple, so that another thread never sees one without the other.
        self._last: tuple[_S, _M] | None = None

    def __call__(self, source: _S) -> _M:
        """Return what is made of the source, which must not change."""
        last = self._last
        if last is None or last[0] is not source:
            last = self._last = (source, self._make(source))
        return last[1]
