from __future__ import annotations

from datetime import datetime

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.missed import SlotRange, missed_ranges, take_catch_up_slot
from slack_alert.core.policy.quota import Pause, Quota, State
from tests.fakes.engine_rig import at, make_job, make_policy

ANCHOR = at("16 00:00")


def found(
    job: Job, after: str, until: str, *, state: State | None = None, hold: Pause | None = None
) -> list[SlotRange]:
    return list(missed_ranges(job, state or State(), hold, after=at(after), until=at(until), anchor=ANCHOR))


def row(verdict: Verdict, first: str, last: str, count: int) -> SlotRange:
    return SlotRange(verdict, at(first), at(last), count)


def test_slots_that_could_have_run_are_missed() -> None:
    assert found(make_job(), "16 09:00", "16 10:00") == [row(Verdict.MISSED, "16 09:10", "16 10:00", 6)]


def test_nothing_passed_where_no_slot_lies_between() -> None:
    assert found(make_job(), "16 09:00", "16 09:09:59") == []


def test_slots_outside_the_hours_are_not_missed() -> None:
    job = make_job(policy=make_policy("9:00-17:00"))

    assert found(job, "16 08:35", "17 09:10") == [
        row(Verdict.OFF_HOURS, "16 08:40", "16 08:50", 2),
        row(Verdict.MISSED, "16 09:00", "16 16:50", 48),
        row(Verdict.OFF_HOURS, "16 17:00", "17 08:50", 96),
        row(Verdict.MISSED, "17 09:00", "17 09:10", 2),
    ]


def test_slots_of_a_pause_are_paused_and_the_one_at_its_end_is_missed() -> None:
    spent = (at("16 09:10"), at("16 09:20"), at("16 09:30"))
    state = State(alerts=Quota(spent, until=at("16 10:30")))

    assert found(make_job(), "16 09:30", "16 10:40", state=state) == [
        row(Verdict.PAUSED, "16 09:40", "16 10:20", 5),
        row(Verdict.MISSED, "16 10:30", "16 10:40", 2),
    ]


@pytest.mark.parametrize(
    ("hold", "rows"),
    [
        (Pause(), [row(Verdict.PAUSED, "16 09:10", "16 10:00", 6)]),
        (
            Pause(at("16 09:30")),
            [row(Verdict.PAUSED, "16 09:10", "16 09:20", 2), row(Verdict.MISSED, "16 09:30", "16 10:00", 4)],
        ),
    ],
)
def test_slots_of_an_asked_pause_are_paused(hold: Pause, rows: list[SlotRange]) -> None:
    assert rows == found(make_job(), "16 09:00", "16 10:00", hold=hold)


def test_row_ends_where_an_alert_ceases_to_weigh() -> None:
    job = make_job(policy=make_policy("9:00-9:30"))
    state = State(alerts=Quota((at("16 09:10"), at("16 09:20"))))

    assert found(job, "16 09:20", "16 10:40", state=state) == [
        row(Verdict.OFF_HOURS, "16 09:30", "16 10:00", 4),
        row(Verdict.OFF_HOURS, "16 10:10", "16 10:10", 1),
        row(Verdict.OFF_HOURS, "16 10:20", "16 10:40", 3),
    ]


def test_a_year_of_seconds_is_accounted_for_in_one_row() -> None:
    job = make_job(every={"seconds": 0.1})

    [gap] = missed_ranges(
        job, State(), None, after=ANCHOR, until=datetime(2027, 11, 16, tzinfo=ANCHOR.tzinfo), anchor=ANCHOR
    )

    assert gap.count == (365 * 86_400 + 3600) * 10


def test_last_slot_of_an_interval_still_runs() -> None:
    rows = [row(Verdict.MISSED, "16 09:10", "16 10:00", 6)]

    assert take_catch_up_slot(make_job(), rows, ANCHOR) == (
        [row(Verdict.MISSED, "16 09:10", "16 09:50", 5)],
        at("16 10:00"),
    )


def test_only_slot_of_an_interval_still_runs_and_nothing_is_missed() -> None:
    assert take_catch_up_slot(make_job(), [row(Verdict.MISSED, "16 09:10", "16 09:10", 1)], ANCHOR) == (
        [],
        at("16 09:10"),
    )


def test_rows_before_the_last_stay_as_they_are() -> None:
    before = row(Verdict.OFF_HOURS, "16 08:40", "16 08:50", 2)

    assert take_catch_up_slot(make_job(), [before, row(Verdict.MISSED, "16 09:00", "16 09:00", 1)], ANCHOR) == (
        [before],
        at("16 09:00"),
    )


@pytest.mark.parametrize(
    ("every", "verdict"),
    [
        ({"minutes": 10}, Verdict.OFF_HOURS),
        ({"minutes": 10}, Verdict.PAUSED),
        ({"cron": "*/10 * * * *"}, Verdict.MISSED),
        ({"days": 1}, Verdict.MISSED),
        ({"at": "2026-11-16T09:10"}, Verdict.MISSED),
    ],
)
def test_nothing_is_made_up_that_could_not_run_or_goes_by_the_wall_clock(
    every: dict[str, object], verdict: Verdict
) -> None:
    rows = [row(verdict, "16 09:10", "16 09:10", 1)]

    assert take_catch_up_slot(make_job(every=every), rows, ANCHOR) == (rows, None)


def test_nothing_is_made_up_where_nothing_passed() -> None:
    assert take_catch_up_slot(make_job(), [], ANCHOR) == ([], None)
