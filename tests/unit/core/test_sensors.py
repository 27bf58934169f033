"""When the process of a sensor is started again, and which events its values become."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.errors import BadValue
from slack_alert.core.sensors import (
    FAILURE_WINDOW,
    MOST_FAILURES,
    SensorPhase,
    Supervision,
    first_start,
    is_named_event,
    noticed_event,
)
from tests.fakes.engine_rig import at

NOON = at("16 12:00")
KINDS = ("files.created", "files.deleted")


def after(supervision: Supervision, ends: list[tuple[float, bool]]) -> tuple[Supervision, list[str]]:
    """Return what is done after each process, given how long it ran and whether it failed."""
    now, does = supervision.since, list[str]()
    for seconds, is_failure in ends:
        now += timedelta(seconds=seconds)
        supervision = supervision.failed(now) if is_failure else supervision.returned(now)
        if supervision.due is None:
            does.append("give up" if supervision.phase is SensorPhase.GIVEN_UP else "stay down")
            break
        does += [f"wait {(supervision.due - now).total_seconds():g}", "start"]
        now = supervision.due
        supervision = supervision.started(now)
    return supervision, does


@pytest.mark.parametrize(
    ("ends", "does"),
    [
        pytest.param([(1, False)], ["stay down"], id="an end without an error is final"),
        pytest.param([(1, True)], ["wait 2.5", "start"], id="after a failure it is started again"),
        pytest.param(
            [(1, True)] * 3, ["wait 2.5", "start", "wait 5", "start", "give up"], id="the third one within a minute"
        ),
        pytest.param(
            [(1, True), (1, False)], ["wait 2.5", "start", "stay down"], id="an end without an error after a failure"
        ),
        pytest.param(
            [(1, True), (40, True), (40, True)],
            ["wait 2.5", "start", "wait 5", "start", "wait 5", "start"],
            id="two within a minute, and never three",
        ),
        pytest.param([(1, True), (70, True)], ["wait 2.5", "start", "wait 2.5", "start"], id="a minute apart"),
    ],
)
def test_what_follows_the_end_of_a_process(ends: list[tuple[float, bool]], does: list[str]) -> None:
    assert does == after(first_start(NOON), ends)[1]


def test_a_failure_exactly_a_minute_ago_does_not_count() -> None:
    before = Supervision(SensorPhase.RUNNING, NOON, failures=(NOON, NOON + timedelta(seconds=1)))

    assert before.failed(NOON + FAILURE_WINDOW).phase is SensorPhase.RESTARTING


def test_a_pause_forgets_the_failures() -> None:
    paused = first_start(NOON).failed(NOON).failed(NOON).paused(NOON)

    assert (paused.phase, paused.failures, paused.due) == (SensorPhase.PAUSED, (), None)


@given(st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=30))
def test_it_is_given_up_just_when_there_are_three_failures_within_a_minute(ends: list[tuple[float, bool]]) -> None:
    failures, now, supervision = list[datetime](), NOON, first_start(NOON)
    for seconds, is_failure in ends:
        now += timedelta(seconds=seconds)
        if not is_failure:
            assert supervision.returned(now).due is None
            return
        failures.append(now)
        supervision = supervision.failed(now)
        recent = [each for each in failures if each > now - FAILURE_WINDOW]
        assert (supervision.phase is SensorPhase.GIVEN_UP) == (len(recent) >= MOST_FAILURES)
        if supervision.due is None:
            return
        assert supervision.due == now + timedelta(seconds=2.5) * len(recent)
        now = supervision.due
        assert supervision.is_due(now)
        supervision = supervision.started(now)
        assert supervision.restarts == len(failures)


@pytest.mark.parametrize(
    ("value", "event"),
    [
        (("created", {"path": "/a"}), ("files.created", {"path": "/a"})),
        (("files.deleted", {}), ("files.deleted", {})),
        (("created", 7), ("files.created", {"value": 7})),
    ],
)
def test_a_sensor_with_several_kinds_names_that_of_each_event(value: object, event: tuple[str, object]) -> None:
    assert is_named_event(KINDS, value)
    assert event == noticed_event(KINDS, value)


@pytest.mark.parametrize("value", [("a", 1), {"path": "/a"}, "created", 5])
def test_the_values_of_a_sensor_with_one_kind_are_its_fields(value: object) -> None:
    assert not is_named_event(("found",), value)
    assert noticed_event(("found",), value)[0] == "found"


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [
        ({"path": "/a"}, "got dict", 'Write yield "files.created", {...}.'),
        (("created", {}, 1), "got tuple", 'Write yield "files.created", {...}.'),
        (("creatd", {}), "does not emit 'creatd'", "Did you mean files.created?"),
    ],
)
def test_a_kind_that_is_missing_or_unknown_is_an_error(value: object, said: str, hint: str) -> None:
    with pytest.raises(BadValue, match=said) as raised:
        noticed_event(KINDS, value)

    assert raised.value.hint == hint
