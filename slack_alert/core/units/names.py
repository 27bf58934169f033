"""Names of days and months, and suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from slack_alert.core.errors import BadValue

#: In characters; longer words are no misspelt names.
_LONGEST = 200
#: In the order of `date.weekday()`.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def composed(text: str) -> str:
    """Return a name in NFC, for comparisons: macOS writes `é` as two characters, nearly every other system as one."""
    return text if text.isascii() else normalize("NFC", text)


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.5) -> str | None:
    """Return the known word most similar to `word`, or None; `likeness` is the least similarity, 1 for equal words."""
    return next(iter(alike(word, known, most=1, likeness=likeness)), None)


def alike(word: str, known: Iterable[str], *, most: int, likeness: float = 0.6) -> list[str]:
    """Return at most `most` known words similar to `word`, the most similar first; case is ignored."""
    if len(word) > _LONGEST:
        return []
    from difflib import get_close_matches  # Imported only once a word is misspelt.

    lowered = {name.lower(): name for name in known}
    return [lowered[name] for name in get_close_matches(word.lower(), lowered, most, likeness)]


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return a hint with the known word that was probably meant, or with all of them."""
    meant = nearest(word, known)
    return f"Did you mean {meant}?" if meant else f"Allowed: {', '.join(known)}."


def index_of(word: str, names: Sequence[str], *, what: str) -> int:
    """Return the index of a day or month, in full or as its first three letters; raise BadValue if there is none."""
    lowered = word.strip().lower()
    for index, name in enumerate(names):
        if lowered in {name, name[:3]}:
            return index
    raise BadValue(f"{word.strip()!r} is not a {what}", hint=_suggestion(lowered, names))


def _suggestion(word: str, names: Sequence[str]) -> str:
    short = [name[:3] for name in names]
    meant = nearest(word, short) or nearest(word, names)
    question = f"Did you mean {meant[:3]}? " if meant else ""
    return f"{question}Allowed: {', '.join(short)}."
