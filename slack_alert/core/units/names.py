"""Names of days and months, and the nearest valid name for a word that is none of the allowed ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from slack_alert.core.errors import BadValue

#: In characters; nobody meant another word by a longer one.
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
    """Return a name as names are compared, in NFC: macOS writes `é` as two characters, nearly everybody else as one."""
    return text if text.isascii() else normalize("NFC", text)


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.5) -> str | None:
    """Find the known word that was most likely meant; `likeness` is how much alike they must be, 1 for the same."""
    return next(iter(alike(word, known, most=1, likeness=likeness)), None)


def alike(word: str, known: Iterable[str], *, most: int, likeness: float = 0.6) -> list[str]:
    """Find the known words that are most alike, in whatever case, at most so many, the likeliest first."""
    if len(word) > _LONGEST:
        return []
    from difflib import get_close_matches  # Whoever makes no mistake need not wait for it.

    lowered = {name.lower(): name for name in known}
    return [lowered[name] for name in get_close_matches(word.lower(), lowered, most, likeness)]


def index_of(word: str, names: Sequence[str], *, what: str) -> int:
    """Find the place of a day or month, written in full or by its first three letters."""
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
