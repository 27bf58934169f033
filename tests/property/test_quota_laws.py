from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import QUIET, RunPosts
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.settle import settle
from slack_alert.core.policy.quota import Policy, Quota, State
from tests.fakes.engine_rig import MARK, TICK, failed, make_job, make_policy, said

pytestmark = pytest.mark.slow

UTC = timezone.utc
#: Shortly before a shift of the clock: an hour forth and back, half an hour, none.
MOMENTS = (
    ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 18, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 18, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 3, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 28, 12, tzinfo=UTC)),
)
HOURS = ("always", "9:30-19:00", "22:00-06:00", "1:30-2:30", "mon-fri 9:00-12:00,13:00-18:00; sun 0:00-24:00")
RESULTS = {"alert": said("lag"), "error": failed(), "quiet": QUIET}

minutes = st.integers(1, 240).map(lambda count: timedelta(minutes=count))
outcomes = st.sampled_from(["alert", "alert", "error", "quiet"])
steps = st.lists(st.tuples(minutes, outcomes), min_size=1, max_size=60)


@st.composite
def policies(draw: st.DrawFn, hours: tuple[str, ...] = HOURS) -> tuple[Policy, datetime]:
    """Draw a policy and an instant to begin at."""
    zone, start = draw(st.sampled_from(MOMENTS))
    policy = make_policy(
        draw(st.sampled_from(hours)),
        max_alert=draw(st.integers(1, 4)),
        pause=draw(minutes),
        mutes=draw(st.booleans()),
        zone=ZoneInfo(zone),
    )
    return policy, start


def played(job: Job, start: datetime, plan: list[tuple[timedelta, str]]) -> list[tuple[datetime, Verdict, State]]:
    """Let one slot after the other come due; return what became of each, and the state it left."""
    state, slot = State(), start
    seen = []
    for number, (step, outcome) in enumerate(plan, 1):
        slot += step
        verdict = gate(job, state, slot)
        if verdict is Verdict.GO:
            settlement = settle(job, state, RunPosts(number, job.name, slot), RESULTS[outcome], MARK)
            verdict, state = settlement.verdict, settlement.state
            assert bool(settlement.messages) == (verdict in {Verdict.SAID, Verdict.ERROR})
        seen.append((slot, verdict, state))
    return seen


@given(policies(), steps)
def test_never_more_than_max_alert_are_said_in_any_window(
    drawn: tuple[Policy, datetime], plan: list[tuple[timedelta, str]]
) -> None:
    policy, start = drawn
    rows = played(make_job(policy=policy), start, plan)

    for kind in (Verdict.SAID, Verdict.ERROR):
        # A quiet run may say what was withheld, which spends nothing.
        ran = ((row, outcome) for row, (_, outcome) in zip(rows, plan, strict=True))
        told = [slot for (slot, verdict, _), outcome in ran if verdict is kind and outcome != "quiet"]
        for end in told:
            assert sum(end - policy.pause_time < slot <= end for slot in told) <= policy.max_alert


@given(policies(), steps)
def test_nothing_runs_outside_the_hours_on_the_wall_clock(
    drawn: tuple[Policy, datetime], plan: list[tuple[timedelta, str]]
) -> None:
    policy, start = drawn

    for slot, verdict, _ in played(make_job(policy=policy), start, plan):
        assert policy.hours.contains(slot) == (verdict is not Verdict.OFF_HOURS)


@given(policies(("always",)), steps)
def test_pause_holds_up_to_its_end_and_not_a_moment_longer(
    drawn: tuple[Policy, datetime], plan: list[tuple[timedelta, str]]
) -> None:
    policy, start = drawn
    job = make_job(policy=policy)

    for _, verdict, state in played(job, start, plan):
        if verdict is Verdict.SAID and state.alerts.until is not None:
            before = Verdict.GO if policy.mutes else Verdict.PAUSED
            assert before is gate(job, state, state.alerts.until - TICK)
            assert gate(job, state, state.alerts.until) is Verdict.GO


@given(policies(("always",)), st.lists(minutes, min_size=1, max_size=60))
def test_errors_never_keep_a_job_from_running(drawn: tuple[Policy, datetime], gaps: list[timedelta]) -> None:
    policy, start = drawn
    rows = played(make_job(policy=policy), start, [(gap, "error") for gap in gaps])

    assert {verdict for _, verdict, _ in rows} <= {Verdict.ERROR, Verdict.MUTED}
    assert all(state.alerts == Quota() for _, _, state in rows)


@given(policies(), steps)
def test_quiet_and_withheld_runs_never_change_the_quotas(
    drawn: tuple[Policy, datetime], plan: list[tuple[timedelta, str]]
) -> None:
    policy, start = drawn
    before = State()

    for _, verdict, state in played(make_job(policy=policy), start, plan):
        assert (state.alerts, state.errors) == (before.alerts, before.errors) or verdict in {
            Verdict.SAID,
            Verdict.ERROR,
        }
        before = state


@given(policies(("always",)), st.lists(minutes, min_size=1, max_size=60))
def test_alerts_go_on_for_ever_with_at_most_a_pause_between(
    drawn: tuple[Policy, datetime], gaps: list[timedelta]
) -> None:
    """What is withheld is withheld because of a quota that is really used up."""
    policy, start = drawn
    rows = played(make_job(policy=policy), start, [(gap, "alert") for gap in gaps])
    told = [slot for slot, verdict, _ in rows if verdict is Verdict.SAID]

    for slot, verdict, _ in rows:
        if verdict is not Verdict.SAID:
            last = max(each for each in told if each < slot)
            assert last > slot - policy.pause_time
            assert sum(last - policy.pause_time < each <= last for each in told) == policy.max_alert
