from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slack_alert.core.schedule.slots import SlotSpan
from slack_alert.core.schedule.triggers import Trigger, parse_trigger

pytestmark = pytest.mark.slow

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Zones with an hour, half an hour, a skipped midnight, a skipped day, a quarter of an hour, and none.
SHIFTS: tuple[tuple[str, datetime], ...] = (
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(1985, 12, 31, 18, 30, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 29, tzinfo=UTC)),
)


@dataclass(frozen=True)
class Line:
    """A cron line beside what it names, so that the reference need not read it."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int]
    any_hour: bool

    def names(self, wall: datetime) -> bool:
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.isoweekday() % 7 in self.weekdays
            and not (wall.second or wall.microsecond)
        )


@st.composite
def fields(draw: st.DrawFn, *, most: int) -> tuple[str, frozenset[int]]:
    """Draw `*`, `*/n`, a range with a step or a list."""
    kind = draw(st.sampled_from(["any", "step", "range", "list"]))
    step = draw(st.integers(1, most))
    if kind == "any":
        return "*", frozenset(range(most + 1))
    if kind == "step":
        return f"*/{step}", frozenset(range(0, most + 1, step))
    if kind == "range":
        low, high = sorted(draw(st.tuples(st.integers(0, most), st.integers(0, most))))
        return f"{low}-{high}/{step}", frozenset(range(low, high + 1, step))
    values = draw(st.frozensets(st.integers(0, most), min_size=1, max_size=4))
    return ",".join(map(str, sorted(values))), values


@st.composite
def lines(draw: st.DrawFn) -> Line:
    minute, minutes = draw(fields(most=59))
    hour, hours = draw(fields(most=23) | st.just(("2", frozenset({2}))))
    begin, length = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    weekdays = frozenset((begin + step) % 7 for step in range(length + 1))
    text = f"{minute} {hour} * * {WEEKDAYS[begin]}-{WEEKDAYS[(begin + length) % 7]}"
    return Line(text, minutes, hours, weekdays, hour.startswith("*"))


@st.composite
def moments(draw: st.DrawFn) -> tuple[tzinfo, datetime]:
    """Draw a zone and an instant within two days of one of its shifts."""
    zone, shift = draw(st.sampled_from(SHIFTS))
    return ZoneInfo(zone), shift + draw(st.timedeltas(min_value=-2 * DAY, max_value=2 * DAY))


@st.composite
def triggers(draw: st.DrawFn) -> tuple[Trigger, datetime]:
    """Draw any trigger, and a moment near a shift of its zone."""
    zone, now = draw(moments())
    keywords: dict[str, object] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "minutes": st.integers(1, 300),
                "seconds": st.floats(30, 5000),
                "cron": st.lists(lines().map(lambda line: line.text), min_size=1, max_size=2),
            },
        )
        | st.fixed_dictionaries({"days": st.integers(1, 3)}, optional={"at": st.sampled_from(["00:00", "02:15"])})
    )
    bounds = {
        "start": now + draw(st.timedeltas(min_value=-DAY, max_value=DAY)),
        "end": now + draw(st.timedeltas(min_value=16 * DAY, max_value=17 * DAY)),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(bounds))))
    keywords |= {keyword: bounds[keyword].isoformat() for keyword in chosen}
    keywords |= draw(st.fixed_dictionaries({}, optional={"jitter": st.sampled_from([1, "1m", "2h"])}))
    trigger = parse_trigger(keywords, zone=zone, name="examples.a") if keywords.keys() - {*bounds, "jitter"} else None
    assume(trigger is not None)
    assert trigger is not None
    return trigger, now


spans = st.timedeltas(min_value=timedelta(0), max_value=DAY)


@given(triggers(), spans, st.integers(0, 3600))
def test_due_times_increase_and_are_what_passed_counts(
    drawn: tuple[Trigger, datetime], span: timedelta, seen_ago: int
) -> None:
    trigger, after = drawn
    anchor = after - timedelta(seconds=seen_ago)
    slots = list(each(trigger, after=after, until=after + span, anchor=anchor))

    assert all(earlier < later for earlier, later in pairwise([after, *slots]))
    expected = SlotSpan(len(slots), slots[0], slots[-1]) if slots else SlotSpan()
    assert expected == trigger.passed(after, after + span, anchor)


@given(triggers(), spans)
def test_no_due_time_lies_between_one_and_the_next(drawn: tuple[Trigger, datetime], ago: timedelta) -> None:
    trigger, now = drawn
    slot = trigger.next_after(now, now)

    # Asked from anywhere before the slot, the answer is the slot or one between the question and `now`.
    if slot is not None:
        assert slot == trigger.next_after(slot - TICK, now)
        assert slot == trigger.next_after(now + (slot - TICK - now) / 2, now)
        earlier = trigger.next_after(now - ago, now)
        assert earlier is not None
        assert earlier == slot or now - ago < earlier <= now


@given(triggers(), spans, spans)
def test_what_passed_in_two_stretches_adds_up(
    drawn: tuple[Trigger, datetime], first: timedelta, second: timedelta
) -> None:
    trigger, begin = drawn
    middle, end = begin + first, begin + first + second
    counts = [trigger.passed(*stretch, begin).count for stretch in ((begin, middle), (middle, end), (begin, end))]

    assert counts[0] + counts[1] == counts[2]


@given(st.timedeltas(min_value=timedelta(seconds=0.1), max_value=30 * DAY), st.integers(0, 10**6), moments())
def test_elapsed_interval_never_drifts(interval: timedelta, step: int, moment: tuple[tzinfo, datetime]) -> None:
    zone, anchor = moment
    trigger = parse_trigger({"seconds": interval / timedelta(seconds=1)}, zone=zone, name="a")
    assert trigger is not None
    due = step % 4000 * interval

    assert anchor + due + interval == trigger.next_after(anchor + due, anchor)
    assert trigger.passed(anchor, anchor + due, anchor).count == step % 4000


@given(lines(), moments())
def test_cron_is_due_at_the_instants_of_its_wall_times(line: Line, moment: tuple[tzinfo, datetime]) -> None:
    zone, now = moment
    trigger = parse_trigger({"cron": line.text}, zone=zone, name="a")
    assert trigger is not None
    until = now + 2 * DAY

    expected = [instant for instant in reference(line, zone, around=now) if now < instant <= until]
    assert expected == list(each(trigger, after=now, until=until, anchor=now))
    assert len(expected) == trigger.passed(now, until, now).count


@given(
    st.integers(1, 31),
    st.integers(1, 12),
    st.integers(0, 6),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_either_day_field_matches_when_both_are_restricted(day: int, month: int, weekday: int, now: datetime) -> None:
    trigger = parse_trigger({"cron": f"0 12 {day} {month} {weekday}"}, zone=UTC, name="a")
    assert trigger is not None
    slot = trigger.next_after(now, now)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    noons = (noon + step * DAY for step in range(800) if noon + step * DAY > now)

    assert slot == next(
        noon for noon in noons if noon.month == month and (noon.day == day or noon.isoweekday() % 7 == weekday)
    )


@st.composite
def day_fields(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int]]:
    """Draw a day field of one or several items, beside the days it names; the first may be `*` or `*/n`, for any n."""
    first = draw(st.none() | st.integers(1, high - low))
    others = draw(st.lists(st.integers(low, high), max_size=3))
    if not others:
        return ("*", frozenset(range(low, high + 1))) if first is None else (f"*/{first}", _steps(low, high, first))
    days = frozenset(others)
    text = ",".join(map(str, others))
    if draw(st.booleans()):
        return text, days
    step = draw(st.integers(1, 100))
    return f"*/{step},{text}", days | _steps(low, high, step)


def _steps(low: int, high: int, step: int) -> frozenset[int]:
    return frozenset(range(low, high + 1, step))


@given(day_fields(1, 31), day_fields(0, 7))
def test_a_day_field_that_begins_with_a_star_must_match_beside_the_other(
    date: tuple[str, frozenset[int]], weekday: tuple[str, frozenset[int]]
) -> None:
    """As in Vixie's cron and cronie: `*` as the first sign counts, not whether all days are named."""
    trigger = parse_trigger({"cron": f"0 12 {date[0]} * {weekday[0]}"}, zone=UTC, name="a")
    assert trigger is not None
    begin = datetime(2026, 5, 31, 12, tzinfo=UTC)
    weekdays = {day % 7 for day in weekday[1]}
    both = date[0].startswith("*") or weekday[0].startswith("*")

    due = [slot.day for slot in each(trigger, after=begin, until=begin + 30 * DAY, anchor=begin)]
    found = {day: (day in date[1], day % 7 in weekdays) for day in range(1, 31)}  # June 2026 begins on a Monday.
    assert due == [day for day, matches in found.items() if (all if both else any)(matches)]


@given(moments(), st.integers(1, 10), st.integers(0, 40))
def test_whole_days_keep_the_local_time(moment: tuple[tzinfo, datetime], days: int, steps: int) -> None:
    zone, anchor = moment
    trigger = parse_trigger({"days": days}, zone=zone, name="a")
    assert trigger is not None
    begun = anchor.astimezone(zone).replace(tzinfo=None)
    # The stretch ends before the next wall time could be shown, and skipped ones are shown late.
    shown = {
        wall_of(slot, zone) for slot in each(trigger, after=anchor, until=anchor + (steps + 1) * DAY, anchor=anchor)
    }
    wanted = [begun + step * days * DAY for step in range(1, steps // days)]

    assert all(wall in shown or is_skipped(wall, zone) for wall in wanted)
    assert all((wall - begun) % (days * DAY) == timedelta(0) or is_after_a_gap(wall, zone) for wall in shown)


@given(triggers(), spans)
def test_answers_depend_on_nothing_but_the_question(drawn: tuple[Trigger, datetime], span: timedelta) -> None:
    trigger, now = drawn
    asked_alone = trigger.next_after(now + span, now)

    assert asked_alone == next(
        (slot for slot in each(trigger, after=now, until=now + span + 40 * DAY, anchor=now) if slot > now + span), None
    )


def each(trigger: Trigger, *, after: datetime, until: datetime, anchor: datetime) -> Iterator[datetime]:
    slot = trigger.next_after(after, anchor)
    while slot is not None and slot <= until:
        yield slot
        slot = trigger.next_after(slot, anchor)


def wall_of(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def is_skipped(wall: datetime, zone: tzinfo) -> bool:
    return wall != wall_of(wall.replace(tzinfo=zone).astimezone(UTC), zone)


def is_after_a_gap(wall: datetime, zone: tzinfo) -> bool:
    return is_skipped(wall - TICK, zone)


def reference(line: Line, zone: tzinfo, *, around: datetime) -> list[datetime]:
    """Find the due times of a cron line minute by minute, in the plainest way there is.

    It begins three days early, so that a day that a shift skips lies inside.
    """
    begin = around.replace(second=0, microsecond=0) - 3 * DAY
    instants = [begin + step * MINUTE for step in range(5 * 1440 + 2)]
    walls = [wall_of(instant, zone) for instant in instants]
    if line.any_hour:
        return [instant for instant, wall in zip(instants, walls, strict=True) if line.names(wall)]
    due: list[datetime] = []
    highest = walls[0]
    for instant, wall in zip(instants[1:], walls[1:], strict=True):
        # The wall times that the clock shows or leaps over for the first time at this instant.
        met = [highest + step * MINUTE for step in range(1, max(0, (wall - highest) // MINUTE) + 1)]
        if any(line.names(new) for new in met):
            due.append(instant)
        highest = max(highest, wall)
    return due
