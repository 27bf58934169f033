"""Quiet windows: times of the week, or dates, in which nothing is posted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, date, datetime, time, timedelta, tzinfo

from slack_alert.core.errors import BadValue
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.schedule.working_hours import BadHours, WorkingHours, parse_window
from slack_alert.core.structs import PrivateStruct, derive
from slack_alert.core.units.local_time import DAY, first_instant

FORMS = (
    "Write sat 02:00-04:00, or 2026-12-24, or 2026-12-24..2026-12-26, or 2026-12-24 10:00-12:00; "
    "a semicolon between several."
)


#: A longer range of days is a typing error.
_LONGEST = timedelta(days=366)


_DATED = lazy_pattern(r"(\d{4}-\d{1,2}-\d{1,2})(?:\s*\.\.\s*(\d{4}-\d{1,2}-\d{1,2}))?(?:\s+(\d[\d:,\s-]*))?")


_LOOKS_DATED = lazy_pattern(r"\d{4}|\d{1,2}[./]")


Span = tuple[datetime, datetime]


class QuietWindow(PrivateStruct, frozen=True):
    """A recurring or dated time in which nothing is posted; an invalid text raises BadValue.

    The weekly parts have the form of working hours: local wall time decides, they belong to the day they begin on and
    may cross midnight. A dated part lasts from the first instant of its beginning to that of its end.
    """

    hidden = frozenset({"_weekly", "_spans"})

    name: str
    text: str
    zone: tzinfo
    _weekly: WorkingHours | None = None
    #: The dated parts, in order and not adjoining.
    _spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        weekly, dated = _split_parts(self.name, self.text)
        derive(self, "_weekly", _weekly(self.name, weekly, self.zone) if weekly else None)
        spans = (span for part in dated for span in _spans(self.name, part, self.zone))
        derive(self, "_spans", tuple(_merged(spans)))

    def contains(self, instant: datetime) -> bool:
        """Return whether an instant is within the window; the end is exclusive."""
        is_dated = any(begin <= instant < end for begin, end in self._spans)
        return is_dated or (self._weekly is not None and self._weekly.contains(instant))

    def next_change(self, after: datetime) -> datetime | None:
        """Return the next instant at which it begins or ends, or None."""
        was_inside, instant = self.contains(after), after
        while (edge := self._next_edge(instant)) is not None:
            if self.contains(edge) != was_inside:
                return edge
            instant = edge
        return None

    def occurrences(self, after: datetime) -> Iterator[Span]:
        """Yield the times in which it is in effect from `after` on; the first one may have begun before."""
        begin = after if self.contains(after) else self.next_change(after)
        while begin is not None and (end := self.next_change(begin)) is not None:
            yield begin, end
            begin = self.next_change(end)

    def _next_edge(self, after: datetime) -> datetime | None:
        edges = [edge for span in self._spans for edge in span if edge > after]
        weekly = self._weekly.next_change(after) if self._weekly is not None else None
        return min([*edges, weekly] if weekly else edges, default=None)


def window_reason(window: QuietWindow, slot: datetime) -> Reason:
    """Return the reason for withholding a message."""
    return Reason(ReasonCode.QUIET_WINDOW, until=window.next_change(slot), what=window.name)


def _split_parts(name: str, text: str) -> tuple[list[str], list[str]]:
    """Return the weekly parts and the dated parts."""
    weekly: list[str] = []
    dated: list[str] = []
    for written in text.split(";"):
        part = written.strip()
        if not part:
            raise _window_error(name, text, "there is an empty part (a semicolon too many)")
        (dated if _LOOKS_DATED.match(part) else weekly).append(part)
    return weekly, dated


def _weekly(name: str, parts: list[str], zone: tzinfo) -> WorkingHours:
    written = "; ".join(parts)
    try:
        hours = WorkingHours.parse(written, zone)
    except BadHours as error:
        raise _as_window_error(name, written, error) from error
    if hours.is_always:
        raise _window_error(name, written, "it never ends")
    return hours


def _spans(name: str, part: str, zone: tzinfo) -> Iterator[Span]:
    """Yield the spans of `2026-12-24`, `2026-12-24..2026-12-26` or either with windows, which apply to each day."""
    match = _DATED.fullmatch(part)
    if match is None:
        raise _window_error(name, part, "it is neither a weekly nor a dated window")
    first = _day(name, part, match[1])
    last = _day(name, part, match[2]) if match[2] else first
    if not timedelta() <= last - first <= _LONGEST:
        raise _window_error(name, part, "its days run backwards" if last < first else "it is longer than a year")
    if last.year == MAXYEAR:
        raise _window_error(name, part, "the calendar ends there")
    if match[3] is None:
        yield first_instant(first, zone), first_instant(last + DAY, zone)
        return
    windows = [_minutes(name, part, window.strip()) for window in match[3].split(",")]
    for day in range((last - first).days + 1):
        for begin, length in windows:
            wall = first + timedelta(days=day) + begin
            yield first_instant(wall, zone), first_instant(wall + length, zone)


def _day(name: str, part: str, written: str) -> datetime:
    try:
        return datetime.combine(date(*map(int, written.split("-"))), time())
    except ValueError:
        raise _window_error(name, part, f"there is no day {written}") from None


def _minutes(name: str, part: str, window: str) -> tuple[timedelta, timedelta]:
    """Return a window as its beginning within the day and its length."""
    if not window:
        raise _window_error(name, part, "there is an empty window (a comma too many)")
    try:
        begin, length = parse_window(window, window)
    except BadHours as error:
        raise _as_window_error(name, window, error) from error
    return timedelta(minutes=begin), timedelta(minutes=length)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for begin, end in sorted(spans):
        if last is not None and begin <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = (begin, end) if begin < end else None
    if last is not None:
        yield last


def _window_error(name: str, part: str, why: str) -> BadValue:
    return BadValue(f"quiet window {name}: {part!r}: {why}", hint=FORMS)


def _as_window_error(name: str, written: str, error: BadHours) -> BadValue:
    """Return the error about working hours as one about a quiet window."""
    shown = error.why if error.part == written else f"{written!r}: {error.why}"
    return BadValue(f"quiet window {name}: {shown}", hint=error.hint if error.has_own_hint else FORMS)
