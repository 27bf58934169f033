"""Regular expressions that are compiled when first used: a start compiles only those it uses itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, AnyStr, cast


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return a pattern that is compiled when first used."""
    return cast("re.Pattern[AnyStr]", _Uncompiled(partial(re.compile, pattern, flags)))


class _Compiled:
    """Has the attributes of a pattern as its own, so that a call costs no more than one of the pattern."""


class _Uncompiled(_Compiled):
    """Becomes a `_Compiled` when an attribute is first read."""

    def __init__(self, compiled: Callable[[], re.Pattern[Any]]) -> None:  # Any: of text or of bytes
        self._compile = compiled

    def __getattr__(self, name: str) -> Any:  # Any: whatever a pattern has by that name
        compiled = self._compile()
        # Two threads may meet here: both compile the same.
        vars(self).update({each: getattr(compiled, each) for each in dir(compiled) if not each.startswith("_")})
        self.__class__ = _Compiled  # type: ignore[assignment]  # `__getattr__` would slow down every later access.
        return getattr(compiled, name)
