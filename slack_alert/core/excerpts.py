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


def abridged(sentence: str) -> str:
    """Return a sentence that is not too long to be read: its beginning, how much is left out, and its end.

    It is cut between words, as an excerpt is.
    """
    if len(sentence) <= _MOST:
        return sentence
    half = _MOST // 2
    begin = max([found.start() for found in _BETWEEN.finditer(sentence, 0, half + 1)], default=0)
    ends = _BEFORE.finditer(sentence, len(sentence) - half)
    end = min([found.start() for found in ends], default=len(sentence))
    return f"{sentence[:begin].rstrip()}… {end - begin:,} more characters …{sentence[end:]}"


#: In characters, of a sentence about an error: it may quote a value of any length.
_MOST = 500
#: White space, and what is behind a quote.
_BETWEEN = re.compile(r"""\s|(?<=['"])""")
#: White space, and what is before a quote.
_BEFORE = re.compile(r"""\s|(?=['"])""")
