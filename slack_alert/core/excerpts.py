"""The beginning of a text that somebody wrote, where it is quoted by who knows no secrets."""

from __future__ import annotations

import re


def excerpt(text: str, most: int) -> str:
    """Return at most so many characters of a text, with an ellipsis where it was cut.

    It is cut between words: half of a secret would not be found by who takes secrets out later.
    """
    if len(text) <= most:
        return text
    ends = [found.start() for found in _BETWEEN.finditer(text, 0, most + 1)]
    return f"{text[: ends[-1] if ends else 0].rstrip()}…"


#: White space, and what is behind a quote.
_BETWEEN = re.compile(r"""\s|(?<=['"])""")
