"""Read JSON that somebody else has written: an object, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping


def read_object(text: str | bytes) -> Mapping[str, object] | None:
    """Return the object in a text, or in bytes of UTF-8; None for whatever is none.

    The standard library reads what others do not: half of a pair of surrogates, where a name was cut within an emoji.
    """
    try:
        # As text: of bytes the parser would guess the encoding.
        content = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
