"""Read the moment at the end of a command's line, `at 18:00` or `in 20m`, and moments in its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo

from slack_alert.core.commands.words import QuotedWord
from slack_alert.core.errors import BadValue
from slack_alert.core.excerpts import excerpt
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.units.local_time import DAY, first_instant, parse_instant, wall_of
from slack_alert.core.units.quantities import parse_duration

_HINT = "Write at 18:00, at tomorrow 9:00, at 2026-12-24 09:00 or in 20m, at the end; in quotes it is text."
_TIME = lazy_pattern(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
_DATE = lazy_pattern(r"\d{4}-\d{1,2}-\d{1,2}")
_MOMENT = lazy_pattern(r"\d{4}-\d{1,2}-\d{1,2}[Tt ]\d.*")
_DURATION = lazy_pattern(r"(?:\d+(?:\.\d+)?[smhdw])+", 2)  # re.IGNORECASE
_PAST = lazy_pattern(r"[-\u2212\u2013]\d+(?:\.\d+)?[smhdw]?", 2)  # re.IGNORECASE
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def split_time(words: Sequence[str], *, zone: tzinfo, now: datetime) -> tuple[list[str], datetime | None]:
    """Return the words without the time at their end, and the instant it means; None where there is none.

    The time is `in` with a duration that has its unit, or `at` with a time of day, a day and a time of day, or a date
    with a time: the last two or three words, never in quotes, and never the first ones. A time of day that has passed
    is tomorrow's. So a command whose text may end like this needs quotes there: `remind "tea at 18:00"`. Raise BadValue
    for a moment that does not exist or has passed.
    """
    for count in (3, 2):
        rest, last = list(words[:-count]), words[-count:]
        if rest and len(last) == count and not any(isinstance(word, QuotedWord) for word in last):
            instant = _asked(last[0].lower(), [str(word) for word in last[1:]], zone, now)
            if instant is not None:
                return rest, instant
    return list(words), None


def last_time(words: Sequence[str]) -> int | None:
    """Return where a time for a later run seems to begin that `split_time` did not read; None: nowhere.

    That is the last `at` or `in` that is not in quotes, and not the value of an option, with three words behind it at
    most.
    """
    for place in range(len(words) - 1, max(len(words) - 5, -1), -1):
        word, before = words[place], words[place - 1] if place else ""
        is_value = before.startswith("--") and "=" not in before and not isinstance(before, QuotedWord)
        if word.lower() in ("at", "in") and not isinstance(word, QuotedWord) and not is_value:
            return place
    return None


def time_error(words: Sequence[str], *, zone: tzinfo, now: datetime, is_shown: bool) -> BadValue:
    """Return what is wrong with a time that cannot be read: `at yesterday`, `in 5`; no word of it where not shown."""
    preposition, text = words[0].lower(), " ".join(words[1:])
    whole = f"{preposition} {text}"
    if not text:
        return BadValue(f"There is no time behind {preposition}.", hint=_HINT)
    if not is_shown:
        return BadValue(f"What is behind {preposition} is no time at which it could run.", hint=_HINT)
    if preposition == "at" and (text.lower() in _DAYS or _DATE.fullmatch(text)):
        return _day_error(text, zone, now)
    if preposition == "in" and _PAST.fullmatch(text):
        return BadValue(f"{excerpt(whole, 60)} has passed.", hint=_HINT)
    if preposition == "in" and text.isdecimal():
        return BadValue(f"{excerpt(whole, 60)} has no unit.", hint=f"Write in {text}m or in {text}h, for example.")
    return BadValue(f"{excerpt(whole, 60)!r} is no time at which it could run.", hint=_HINT)


def _day_error(text: str, zone: tzinfo, now: datetime) -> BadValue:
    """Return what is wrong with a day without a time of day."""
    try:
        day = parse_day(text, zone=zone, now=now)
    except BadValue as error:
        return BadValue(f"{str(error).removesuffix('.')}.", hint=_HINT)
    if day < wall_of(now, zone).date():
        return BadValue(f"{text} has passed.", hint=_HINT)
    return BadValue(f"at {text} has no time of day.", hint=f"Write at {text} 9:00, for example.")


def parse_moment(text: str, *, zone: tzinfo, now: datetime) -> datetime:
    """Return an instant as people write it: `14:30` is today's, `tomorrow 9:00`, a date with or without a time."""
    day, _, clock = text.strip().partition(" ")
    if _TIME.fullmatch(text.strip()):
        return first_instant(datetime.combine(wall_of(now, zone).date(), _clock(text.strip())), zone)
    if day.lower() in _DAYS:
        at = _clock(clock.strip()) if clock.strip() else time()
        return first_instant(datetime.combine(parse_day(day, zone=zone, now=now), at), zone)
    return parse_instant(text, zone)


def parse_day(text: str, *, zone: tzinfo, now: datetime) -> date:
    """Return a day as people write it: `today`, `tomorrow`, `2026-12-24`; raise BadValue for others."""
    today = wall_of(now, zone).date()
    if text.lower() in _DAYS:
        return today + _DAYS[text.lower()] * DAY
    if not _DATE.fullmatch(text):
        raise BadValue(f"{text!r} is not a day", hint="Write it as 2026-12-24, today or tomorrow.")
    return wall_of(parse_instant(text, zone), zone).date()


def takes_next(word: str, following: str) -> bool:
    """Return whether two words are a day and a time of it."""
    is_day = word.lower() in _DAYS or _DATE.fullmatch(word) is not None
    return is_day and not isinstance(following, QuotedWord) and _TIME.fullmatch(following) is not None


def _asked(preposition: str, words: list[str], zone: tzinfo, now: datetime) -> datetime | None:
    try:
        return _read(preposition, words, zone, now)
    except BadValue as error:
        # An instant that does not exist.
        raise BadValue(f"{str(error).removesuffix('.')}.", hint=_HINT) from error


def _read(preposition: str, words: list[str], zone: tzinfo, now: datetime) -> datetime | None:
    text = " ".join(words)
    if preposition == "in" and len(words) == 1 and _DURATION.fullmatch(text):
        return now + parse_duration(text)
    if preposition != "at":
        return None
    is_day_and_time = len(words) == 2 and takes_next(*words)
    if not (is_day_and_time or (len(words) == 1 and (_TIME.fullmatch(text) or _MOMENT.fullmatch(text)))):
        return None
    instant = parse_moment(text, zone=zone, now=now)
    if instant <= now and _TIME.fullmatch(text):
        instant = first_instant(wall_of(instant, zone) + DAY, zone)
    if instant <= now:
        raise BadValue(f"{text} has passed")
    return instant


def _clock(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadValue(f"{text!r} is not a time of day", hint="Write it as 9:00 or 18:30.")
    hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise BadValue(f"{text!r} is not a time of day", hint="Write it as 9:00 or 18:30.") from error
