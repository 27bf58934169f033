from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.quota import Pause, Policy, Quota, State, admit, spend_alert, spend_error
from tests.fakes.engine_rig import HOUR, TICK, at, make_policy

POLICY = make_policy()


def alerts(*times: str, policy: Policy = POLICY) -> State:
    return reduce(lambda state, time: spend_alert(policy, state, at(time)), times, State())


def test_third_alert_starts_the_pause() -> None:
    assert alerts("16 09:00", "16 09:10").alerts.until is None
    assert alerts("16 09:00", "16 09:10", "16 09:20").alerts == Quota(
        (at("16 09:00"), at("16 09:10"), at("16 09:20")), until=at("16 10:20")
    )


@pytest.mark.parametrize(
    ("slot", "verdict"),
    [
        (at("16 09:20") + TICK, Verdict.PAUSED),
        (at("16 10:20") - TICK, Verdict.PAUSED),
        (at("16 10:20"), Verdict.GO),
    ],
)
def test_slot_exactly_at_the_end_of_the_pause_runs(slot: datetime, verdict: Verdict) -> None:
    state = alerts("16 09:00", "16 09:10", "16 09:20")

    assert verdict == admit(POLICY, state, slot)


def test_counting_begins_anew_after_a_pause() -> None:
    state = alerts("16 09:00", "16 09:10", "16 09:20", "16 10:20")

    # 09:20 lies exactly one window before and 09:10 would not count anyway: none of the former three weighs.
    assert state.alerts == Quota((at("16 10:20"),))


def test_counting_begins_anew_even_where_the_former_alerts_would_still_weigh() -> None:
    policy = make_policy(max_alert=2, pause=timedelta(minutes=30))
    paused = alerts("16 09:29", "16 09:30", policy=policy)

    assert Quota((at("16 10:00"),)) == spend_alert(policy, paused, at("16 10:00")).alerts


@pytest.mark.parametrize(
    ("third", "is_paused"), [(at("16 10:00") - TICK, True), (at("16 10:00"), False), (at("16 10:05"), False)]
)
def test_window_slides_and_is_open_at_its_beginning(third: datetime, is_paused: bool) -> None:
    state = spend_alert(POLICY, alerts("16 09:00", "16 09:30"), third)

    assert is_paused == (state.alerts.until is not None)


def test_alerts_outside_the_window_are_forgotten() -> None:
    assert alerts("16 09:00", "16 11:00").alerts.spent == (at("16 11:00"),)


def test_limit_of_zero_never_pauses_and_remembers_nothing() -> None:
    policy = make_policy(max_alert=0)

    assert alerts(*(f"16 09:{minute:02}" for minute in range(60)), policy=policy) == State()


def test_pause_of_a_former_limit_binds_nobody_once_there_is_none() -> None:
    resting = alerts("16 09:00", "16 09:10", "16 09:20")

    assert admit(make_policy(max_alert=0), resting, at("16 09:30")) is Verdict.GO


def test_limit_of_one_pauses_with_every_alert() -> None:
    policy = make_policy(max_alert=1)

    assert alerts("16 09:00", "16 10:00", policy=policy).alerts == Quota((at("16 10:00"),), until=at("16 11:00"))


def test_pause_of_no_length_stops_nothing() -> None:
    policy = make_policy(max_alert=1, pause=timedelta())

    assert admit(policy, alerts("16 09:00", policy=policy), at("16 09:00")) is Verdict.GO


def test_errors_spend_a_quota_of_their_own_that_never_pauses() -> None:
    state = reduce(lambda state, _: spend_error(POLICY, state, at("16 09:00")), range(3), State())

    assert state.errors.until == at("16 10:00")
    assert state.alerts == Quota()
    assert admit(POLICY, state, at("16 09:10")) is Verdict.GO


@pytest.mark.parametrize(
    ("hours", "mutes", "slot", "verdict"),
    [
        ("9:00-17:00", False, "16 08:59:59", Verdict.OFF_HOURS),
        ("9:00-17:00", False, "16 17:00", Verdict.OFF_HOURS),
        ("9:00-10:00", False, "16 10:10", Verdict.OFF_HOURS),  # also paused: the hours are named first
        ("9:00-17:00", False, "16 10:10", Verdict.PAUSED),
        ("9:00-17:00", True, "16 10:10", Verdict.GO),
        ("9:00-17:00", True, "16 17:00", Verdict.OFF_HOURS),
    ],
)
def test_gate_of_hours_and_pause(hours: str, mutes: bool, slot: str, verdict: Verdict) -> None:
    policy = make_policy(hours, mutes=mutes)
    state = alerts("16 09:30", "16 09:40", "16 09:50")

    assert verdict == admit(policy, state, at(slot))


@pytest.mark.parametrize(
    ("slot", "count"),
    [("16 09:20", 3), ("16 10:19:59", 3), ("16 10:20", 0), ("16 10:25", 0)],
)
def test_alerts_of_a_pause_weigh_until_its_end(slot: str, count: int) -> None:
    assert count == alerts("16 09:00", "16 09:10", "16 09:20").alerts.count(at(slot), HOUR)


@pytest.mark.parametrize(("slot", "count"), [("16 09:10", 2), ("16 09:59:59", 2), ("16 10:00", 1), ("16 10:10", 0)])
def test_alerts_weigh_as_long_as_the_window(slot: str, count: int) -> None:
    assert count == alerts("16 09:00", "16 09:10").alerts.count(at(slot), HOUR)


@pytest.mark.parametrize(
    ("hold", "slot", "is_over"),
    [
        (Pause(), "30 23:59", False),
        (Pause(at("16 12:00")), "16 11:59:59", False),
        (Pause(at("16 12:00")), "16 12:00", True),
    ],
)
def test_asked_pause_ends_at_its_instant_or_never(hold: Pause, slot: str, is_over: bool) -> None:
    assert is_over == hold.is_over(at(slot))
