from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.bindings import Job
from slack_alert.core.explain.job_status import JobStatus, Outlook, outlook
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Action
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.policy.quota import Pause, Policy, Quota, State
from slack_alert.core.schedule.triggers import parse_trigger
from slack_alert.core.schedule.working_hours import WorkingHours

BERLIN = ZoneInfo("Europe/Berlin")
OPS = Address("slack", "#ops")


def at(text: str) -> datetime:
    """Return a time of Berlin in November 2026; the 16th is a Monday."""
    return datetime.strptime(f"2026-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=BERLIN).astimezone(timezone.utc)


def job(hours: str = "always", trigger: dict[str, object] | None = None, *, mutes: bool = False) -> Job:
    name = "db.lag"
    found = parse_trigger(trigger or {"minutes": 10}, zone=BERLIN, name=name)
    assert found is not None
    policy = Policy(WorkingHours.parse(hours, BERLIN), max_alert=3, pause_time=timedelta(hours=1), mutes=mutes)
    return Job(name, Action(name, "plugins/db.py", 1), found, policy, OPS, OPS, BERLIN)


def look(
    job: Job,
    state: State | None = None,
    *,
    hold: Pause | None = None,
    last: datetime | None = None,
    now: str = "16 12:00",
) -> Outlook:
    return outlook(
        job, state or State(), pause=hold, first_seen=at("16 00:00"), last=last, now=at(now), muted_until=None
    )


def spent(*times: str, until: str | None = None) -> State:
    return State(alerts=Quota(tuple(map(at, times)), at(until) if until else None))


def test_an_undisturbed_job_runs_at_its_next_slot() -> None:
    assert look(job()) == Outlook(JobStatus.ACTIVE, at("16 12:10"), None, 0)


@pytest.mark.parametrize(
    ("found", "state", "hold", "expected"),
    [
        (job(), State(), None, (JobStatus.MUTED, "16 13:00")),
        (job("9:00-10:00"), State(), None, (JobStatus.OFF_HOURS, None)),
        (job(), State(), Pause(at("16 15:00")), (JobStatus.PAUSED, "16 15:00")),
        (job(), State(), Pause(at("16 12:00")), (JobStatus.MUTED, "16 13:00")),
        (job(), State(alerts=Quota((), at("16 12:30"))), None, (JobStatus.PAUSED, "16 12:30")),
        (job(mutes=True), State(alerts=Quota((), at("16 12:30"))), None, (JobStatus.MUTED, "16 13:00")),
        (job(mutes=True), State(alerts=Quota((), at("16 13:30"))), None, (JobStatus.MUTED, "16 13:30")),
    ],
)
def test_muted_job_runs_and_is_shown_so_where_nothing_stops_it(
    found: Job, state: State, hold: Pause | None, expected: tuple[JobStatus, str | None]
) -> None:
    seen = outlook(
        found,
        state,
        pause=hold,
        first_seen=at("16 00:00"),
        last=None,
        now=at("16 12:00"),
        muted_until=at("16 13:00"),
    )

    state_word, until = expected
    assert (seen.state, seen.paused_until) == (state_word, at(until) if until else None)


def test_a_job_never_seen_before_begins_its_grid_now() -> None:
    seen = outlook(job(), State(), pause=None, first_seen=None, last=None, now=at("16 12:03"), muted_until=None)

    assert seen.next_run == at("16 12:13")


def test_a_slot_that_was_accounted_for_is_not_promised_again() -> None:
    """The clock of the machine may have been set back."""
    assert look(job(), last=at("16 12:30")).next_run == at("16 12:40")


def test_alerts_within_the_window_are_counted_without_pausing() -> None:
    state = spent("16 10:30", "16 11:30", "16 11:40")

    assert look(job(), state) == Outlook(JobStatus.ACTIVE, at("16 12:10"), None, 2)


def test_a_spent_quota_pauses_until_its_end_and_the_slot_at_the_end_runs() -> None:
    state = spent("16 11:10", "16 11:20", "16 11:30", until="16 12:30")

    assert look(job(), state) == Outlook(JobStatus.PAUSED, at("16 12:30"), at("16 12:30"), 3)


def test_a_muted_job_goes_on_running() -> None:
    state = spent("16 11:10", "16 11:20", "16 11:30", until="16 12:30")

    assert look(job(mutes=True), state) == Outlook(JobStatus.MUTED, at("16 12:10"), at("16 12:30"), 3)


@pytest.mark.parametrize(
    ("hold", "quota_until", "paused_until", "next_run"),
    [
        ("16 12:25", None, "16 12:25", "16 12:30"),
        ("16 12:25", "16 13:00", "16 13:00", "16 13:00"),
        ("16 14:00", "16 13:00", "16 14:00", "16 14:00"),
    ],
)
def test_of_two_pauses_the_longer_one_counts(
    hold: str, quota_until: str | None, paused_until: str, next_run: str
) -> None:
    seen = look(job(), spent("16 11:50", until=quota_until), hold=Pause(at(hold)))

    assert (JobStatus.PAUSED, at(paused_until), at(next_run)) == (seen.state, seen.paused_until, seen.next_run)


def test_a_job_paused_for_good_never_runs() -> None:
    seen = look(job(), spent("16 11:50", until="16 13:00"), hold=Pause())

    assert seen == Outlook(JobStatus.PAUSED, None, None, 1)


def test_a_pause_that_is_over_is_none() -> None:
    assert look(job(), hold=Pause(at("16 12:00"))) == Outlook(JobStatus.ACTIVE, at("16 12:10"), None, 0)


@pytest.mark.parametrize(
    ("hours", "now", "state", "next_run"),
    [
        ("mon-fri 9:00-18:00", "16 12:00", JobStatus.ACTIVE, "16 12:10"),
        ("mon-fri 9:00-18:00", "16 17:55", JobStatus.ACTIVE, "17 09:00"),
        ("mon-fri 9:00-18:00", "16 18:00", JobStatus.OFF_HOURS, "17 09:00"),
        ("mon-fri 9:00-18:00", "20 18:00", JobStatus.OFF_HOURS, "23 09:00"),
        ("sat 10:05-10:15", "16 12:00", JobStatus.OFF_HOURS, "21 10:10"),
    ],
)
def test_outside_its_hours_a_job_waits_for_them(hours: str, now: str, state: JobStatus, next_run: str) -> None:
    seen = look(job(hours), now=now)

    assert (state, at(next_run)) == (seen.state, seen.next_run)


def test_a_pause_that_ends_outside_the_hours_lasts_until_they_begin() -> None:
    seen = look(job("9:00-18:00"), hold=Pause(at("16 20:00")))

    assert seen == Outlook(JobStatus.PAUSED, at("17 09:00"), at("16 20:00"), 0)


def test_a_pause_is_told_rather_than_the_hours() -> None:
    assert look(job("9:00-18:00"), hold=Pause(), now="16 20:00").state is JobStatus.PAUSED


@pytest.mark.parametrize(
    ("trigger", "hours"),
    [
        ({"cron": "0 3 * * *"}, "9:00-18:00"),
        ({"at": "2026-11-16T11:00"}, "always"),
        ({"days": 1, "at": "03:00"}, "9:00-18:00"),
    ],
    ids=["a cron line outside the hours", "a moment that has passed", "a day's time outside the hours"],
)
def test_a_job_that_finds_no_open_slot_never_runs(trigger: dict[str, object], hours: str) -> None:
    assert look(job(hours, trigger)).next_run is None


@pytest.mark.slow
@given(
    minutes=st.integers(1, 5000),
    hours=st.sampled_from(["always", "9:00-18:00", "mon-fri 22:00-06:00", "sat 10:05-10:15"]),
    held=st.none() | st.integers(-500, 20_000),
    until=st.none() | st.integers(-500, 20_000),
    passed=st.integers(0, 20_000),
)
def test_the_gate_lets_the_promised_slot_run_and_no_earlier_one(
    minutes: int, hours: str, held: int | None, until: int | None, passed: int
) -> None:
    begin = at("16 12:00")
    now = begin + timedelta(minutes=passed)
    hold = Pause(now + timedelta(minutes=held)) if held is not None else None
    quota = Quota((now,), now + timedelta(minutes=until)) if until is not None else Quota()
    found, state = job(hours, {"minutes": minutes}), State(alerts=quota)

    seen = outlook(found, state, pause=hold, first_seen=begin, last=None, now=now, muted_until=None)
    promised = seen.next_run

    slot = found.trigger.next_after(now, begin)
    for _ in range(500):
        if slot is None or gate(found, state, slot, pause=hold) is Verdict.GO:
            assert promised == slot
            return
        slot = found.trigger.next_after(slot, begin)
    assert promised is None or (slot is not None and promised >= slot)


def test_a_grid_at_the_end_of_the_calendar_that_is_never_open_has_no_next_run() -> None:
    found = job("mon 1:00-2:00", {"days": 3653, "start": "4999-12-31T09:00"})

    assert look(found).next_run is None
