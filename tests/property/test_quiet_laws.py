from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.policy.mutes import Mute, active_mute, merge_adjoining
from slack_alert.core.policy.quiet_windows import QuietWindow

pytestmark = pytest.mark.slow

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFTS: tuple[tuple[str, datetime], ...] = (
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 29, tzinfo=UTC)),
)


@st.composite
def times(draw: st.DrawFn) -> str:
    begin = draw(st.integers(0, 1439))
    end = draw(st.integers(0, 1440).filter(lambda minute: minute != begin))
    return f"{begin // 60}:{begin % 60:02d}-{end // 60}:{end % 60:02d}"


@st.composite
def windows(draw: st.DrawFn) -> tuple[QuietWindow, datetime]:
    """Draw a window whose parts lie about a shift of its zone, and an instant nearby."""
    name, shift = draw(st.sampled_from(SHIFTS))
    zone: tzinfo = ZoneInfo(name)
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        day = (shift.astimezone(zone) + timedelta(days=draw(st.integers(-2, 2)))).date()
        last = day + timedelta(days=draw(st.integers(0, 2)))
        weekly = f"{draw(st.sampled_from(DAYS))} {draw(times())}"
        dated = draw(st.sampled_from([f"{day}", f"{day}..{last}", f"{day} {draw(times())}"]))
        parts.append(draw(st.sampled_from([weekly, dated])))
    near = shift + timedelta(minutes=draw(st.integers(-4 * 1440, 4 * 1440)))
    return QuietWindow("night", "; ".join(parts), zone), near


@given(windows())
def test_nothing_changes_before_the_next_change_and_then_it_does(drawn: tuple[QuietWindow, datetime]) -> None:
    window, after = drawn
    change = window.next_change(after)
    end = change or after + timedelta(days=10)

    steps = min(int((end - after) / MINUTE), 3 * 1440)
    assert {window.contains(after + step * MINUTE) for step in range(steps)} <= {window.contains(after)}
    assert window.contains(end - TICK) == window.contains(after)
    assert change is None or window.contains(change) != window.contains(after)


@given(windows())
def test_turns_are_apart_and_hold_what_is_between_their_edges(drawn: tuple[QuietWindow, datetime]) -> None:
    window, after = drawn
    turns = list(islice(window.occurrences(after), 4))

    assert [turn for turn in turns if not (after <= turn[0] < turn[1])] == []
    assert [True for (_, end), (begin, _) in pairwise(turns) if begin <= end] == []
    for begin, end in turns:
        assert (window.contains(begin), window.contains(end - TICK), window.contains(end)) == (True, True, False)


@st.composite
def mutes(draw: st.DrawFn) -> list[Mute]:
    """Draw what was said of one job, oldest first; some of it ends at once."""
    begins = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=5)))
    lengths = [draw(st.integers(0, 20)) for _ in begins]
    spans = [(NOON + begin * MINUTE, NOON + (begin + length) * MINUTE) for begin, length in zip(begins, lengths)]  # noqa: B905
    return [Mute("db.lag", since, until, "ann") for since, until in spans]


@given(mutes())
def test_silences_are_exactly_the_times_at_which_a_mute_holds(drawn: list[Mute]) -> None:
    joined = merge_adjoining(drawn)

    for minute in range(-1, 62):
        instant = NOON + minute * MINUTE
        is_silent = any(silence.contains(instant) for silence in joined)
        assert is_silent == (active_mute(drawn, instant) is not None), minute


@given(mutes())
def test_no_silence_touches_the_next_one(drawn: list[Mute]) -> None:
    joined = merge_adjoining(drawn)

    assert [True for one, other in pairwise(joined) if other.since <= one.until] == []
