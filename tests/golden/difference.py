"""Show in which lines a text is another one than was kept."""

from __future__ import annotations

import difflib
from itertools import islice

_SHOWN = 60


def difference(before: str, now: str) -> str:
    """Return the first lines that differ, as `git diff` shows them."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), "kept", "made now", n=2, lineterm="")
    return "\n".join(islice(lines, _SHOWN)) if before != now else ""
