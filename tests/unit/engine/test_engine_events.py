from __future__ import annotations

from slack_alert.core.events import Event, Rule
from slack_alert.core.model.run import QUIET
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import replace
from slack_alert.engine.runs.event_queues import WAITING
from tests.fakes.engine_rig import Rig, at, make_job, make_policy, make_rule, said, verdicts


def full(time: str = "16 09:01", **fields: object) -> Event:
    return Event("disk.full", at(time), fields)


def test_a_rule_runs_with_the_event_at_its_moment() -> None:
    rig = Rig(make_rule())

    rig.engine.handle_event(full(mount="/var"))

    (run,) = rig.executor.runs
    assert (run.binding, run.slot, run.event) == ("disk.full", at("16 09:01"), {"mount": "/var"})


def test_events_nobody_wants_leave_nothing() -> None:
    rig = Rig(make_rule(on="backup.done"), make_job())

    rig.engine.handle_event(full())

    assert (rig.executor.runs, rig.rows()) == ([], [])


def test_events_are_answered_one_after_the_other_in_order() -> None:
    rig = Rig(make_rule())
    for number in range(3):
        rig.engine.handle_event(full(number=number))

    answered = []
    while rig.executor.runs:
        (run,) = rig.executor.runs
        answered.append(run.event)
        rig.executor.finish(QUIET)

    assert answered == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert verdicts(rig.rows()) == [("quiet", 1)] * 3


def test_more_events_than_may_wait_are_recorded() -> None:
    rig = Rig(make_rule())
    for _ in range(WAITING + 3):
        rig.engine.handle_event(full())

    assert verdicts(rig.rows()) == [("overlapped", 1)] * 2


def test_a_rule_has_a_quota_and_rests() -> None:
    rig = Rig(make_rule(policy=make_policy(max_alert=2)))
    for minute in range(1, 5):
        rig.engine.handle_event(full(f"16 09:0{minute}"))
        if rig.executor.runs:
            rig.executor.finish(said("91 %"))

    assert rig.texts == ["91 %", "91 %\n2 alerts: paused for 60 min, until 10:02"]
    assert verdicts(rig.rows()) == [("said", 1), ("said", 1), ("paused", 2)]


def test_events_that_waited_for_the_alert_that_starts_the_pause_are_recorded_as_paused() -> None:
    rig = Rig(make_rule(policy=make_policy(max_alert=1)))
    for _ in range(3):
        rig.engine.handle_event(full())

    rig.executor.finish(said("91 %"))

    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("said", 1), ("paused", 1), ("paused", 1)]


def test_working_hours_and_a_pause_by_hand_bind_rules() -> None:
    rig = Rig(make_rule(policy=make_policy("9:00-17:00")))
    rig.engine.handle_event(full("16 08:59"))
    rig.pause("disk.full", Pause())
    rig.engine.handle_event(full("16 09:01"))

    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("off_hours", 1), ("paused", 1)]


def test_what_a_sensor_notices_is_answered() -> None:
    rig = Rig(replace(make_job("disk.probe"), emits="disk.full"), make_rule())
    rig.due("16 09:10", name="disk.probe")
    (probe,) = rig.executor.runs

    rig.engine.emit(probe, {"mount": "/"})
    rig.engine.emit(probe, 91)

    rig.executor.finish(QUIET)
    (answer,) = rig.executor.runs
    assert (answer.event, answer.slot) == ({"mount": "/"}, at("16 09:10"))
    rig.executor.finish(QUIET)
    assert [run.event for run in rig.executor.runs] == [{"value": 91}]


def test_one_function_answers_slots_and_events_one_at_a_time() -> None:
    rig = Rig(replace(make_job("disk.full"), rule=Rule(("disk.full",), {})))
    rig.due("16 09:10", name="disk.full")
    rig.engine.handle_event(full("16 09:11"))
    rig.due("16 09:20", name="disk.full")

    assert len(rig.executor.runs) == 1
    rig.executor.finish(QUIET)

    assert [run.event for run in rig.executor.runs] == [{}]
    assert sorted(verdicts(rig.rows())) == [("overlapped", 1), ("quiet", 1)]
