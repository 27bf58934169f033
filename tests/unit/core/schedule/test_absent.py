from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.slots import SlotSpan, count_slots
from slack_alert.core.schedule.working_hours import WorkingHours
from tests.fakes.engine_rig import BERLIN, HOUR, MINUTE, TICK, at

LAST = at("16 02:00")
HOURS = ("always", "9:30-19:00", "22:00-06:00", "mon-fri 9:00-12:00,13:00-18:00")


def absence(absent: timedelta = 25 * HOUR, again: timedelta | None = None, hours: str = "always") -> Absence:
    return Absence(absent, again or absent, WorkingHours.parse(hours, BERLIN))


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("16 02:00", "17 03:00"),
        ("17 02:59", "17 03:00"),
        ("17 03:00", "18 04:00"),
        ("18 04:01", "19 05:00"),
        ("10 00:00", "17 03:00"),
    ],
)
def test_it_is_due_so_long_after_the_event_and_again_each_time_it_elapses(after: str, due: str) -> None:
    assert absence().next_after(at(after), LAST) == at(due)


def test_an_event_moves_what_is_due() -> None:
    assert absence().next_after(at("16 12:00"), at("16 11:00")) == at("17 12:00")


def test_it_is_told_again_as_often_as_a_reminder_says() -> None:
    often = absence(again=HOUR)

    assert often.next_after(at("17 03:00"), LAST) == at("17 04:00")
    assert often.passed(LAST, at("17 05:00"), LAST) == SlotSpan(3, at("17 03:00"), at("17 05:00"))


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("16 02:00", "17 09:30"),
        ("17 03:00", "17 09:30"),
        ("17 09:30", "18 09:30"),
        ("18 04:00", "18 09:30"),
    ],
)
def test_outside_of_working_hours_it_waits_for_their_opening(after: str, due: str) -> None:
    assert absence(hours="9:30-19:00").next_after(at(after), LAST) == at(due)


def test_all_that_waits_for_one_opening_is_due_once() -> None:
    hourly = absence(HOUR, hours="9:30-19:00")

    assert hourly.passed(LAST, at("16 10:00"), LAST) == SlotSpan(2, at("16 09:30"), at("16 10:00"))


def test_hours_that_hold_the_event_back_by_days_are_no_trouble() -> None:
    assert absence(hours="mon-fri 9:30-19:00").next_after(at("20 12:00"), at("20 12:00")) == at("23 09:30")


def test_years_of_seconds_are_counted_without_visiting_them() -> None:
    passed = absence(timedelta(seconds=1)).passed(LAST, LAST + timedelta(days=3650), LAST)

    assert passed == SlotSpan(3650 * 86_400, LAST + timedelta(seconds=1), LAST + timedelta(days=3650))


@pytest.mark.parametrize(("absent", "said"), [(25 * HOUR, "absent for 25h"), (90 * MINUTE, "absent for 1h30m")])
def test_it_says_how_long_in_words(absent: timedelta, said: str) -> None:
    assert absence(absent).describe() == said


#: From the 22nd of October to the 1st of December: the clock goes back once meanwhile.
_INSTANTS = st.integers(-10 * 86_400, 30 * 86_400).map(lambda seconds: at("01 00:00") + timedelta(seconds=seconds))
_LENGTHS = st.integers(1, 60 * 60).map(lambda minutes: minutes * MINUTE)
_ABSENCES = st.builds(absence, _LENGTHS, _LENGTHS, st.sampled_from(HOURS))


@given(_ABSENCES, _INSTANTS, _INSTANTS)
def test_what_is_due_lies_ahead_within_hours_and_never_before_its_time(
    absence: Absence, anchor: datetime, after: datetime
) -> None:
    slot = absence.next_after(after, anchor)

    assert slot is not None
    assert slot > after
    assert slot >= anchor + absence.absent
    assert absence.hours.contains(slot)


@given(_ABSENCES, _INSTANTS, _INSTANTS)
def test_nothing_is_due_between_an_instant_and_what_is_due_next(
    absence: Absence, anchor: datetime, after: datetime
) -> None:
    slot = absence.next_after(after, anchor)

    assert slot is not None
    between = after + (slot - after) / 2
    if between < slot:
        assert absence.next_after(between, anchor) == slot
    assert absence.next_after(slot - TICK, anchor) == slot


@given(_ABSENCES, _INSTANTS, st.integers(0, 600).map(lambda hours: hours * HOUR))
def test_counting_agrees_with_going_through_them(absence: Absence, anchor: datetime, length: timedelta) -> None:
    until = anchor + absence.absent + min(length, 200 * absence.again)

    assert absence.passed(anchor, until, anchor) == count_slots(
        lambda instant: absence.next_after(instant, anchor), after=anchor, until=until
    )


@given(_ABSENCES, _INSTANTS, _LENGTHS)
def test_a_later_event_never_makes_it_due_earlier(absence: Absence, anchor: datetime, later: timedelta) -> None:
    before, moved = absence.next_after(anchor, anchor), absence.next_after(anchor + later, anchor + later)

    assert before is not None
    assert moved is not None
    assert moved >= before
