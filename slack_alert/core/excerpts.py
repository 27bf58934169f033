"""Shorten texts of any length for error messages.

A module of its own: `core.errors` needs it, and the code that reads secrets before there is a `Redaction` needs it too.
"""

from __future__ import annotations

from slack_alert.core.patterns import lazy_pattern


def excerpt(text: str, most: int) -> str:
    """Return the first `most` characters of a text at most, with an ellipsis if it was cut.

    The cut is made between words, because half of a secret would not be recognised by a later redaction.
    """
    if len(text) <= most:
        return text
    ends = [found.start() for found in _BETWEEN.finditer(text, 0, most + 1)]
    return f"{text[: ends[-1] if ends else 0].rstrip()}…"


def abridged(sentence: str) -> str:
    """Return a sentence shortened in the middle to about 500 characters, with the number of characters left out.

    The cuts are made between words, as in `excerpt`.
    """
    if len(sentence) <= _MOST:
        return sentence
    half = _MOST // 2
    begin = max([found.start() for found in _BETWEEN.finditer(sentence, 0, half + 1)], default=0)
    ends = _BEFORE.finditer(sentence, len(sentence) - half)
    end = min([found.start() for found in ends], default=len(sentence))
    return f"{sentence[:begin].rstrip()}… {end - begin:,} more characters …{sentence[end:]}"


#: Maximum length of an error message, in characters; it may quote a value of any length.
_MOST = 500
#: White space, or the position after a quotation mark.
_BETWEEN = lazy_pattern(r"""\s|(?<=['"])""")
#: White space, or the position before a quotation mark.
_BEFORE = lazy_pattern(r"""\s|(?=['"])""")
