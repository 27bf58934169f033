from __future__ import annotations

from datetime import timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.events import AcceptedEvent, Emitted
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.incidents import RepeatPolicy
from slack_alert.core.policy.quota import Policy, State
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.structs import replace
from slack_alert.engine.batches import JobProgress, Snapshot
from slack_alert.engine.simulation.doubles import ScriptedExecutor, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation
from tests.fakes.engine_rig import HOUR, MARK, MINUTE, Rig, at, make_job, make_policy, said, verdicts
from tests.fakes.reasons import why

RECOVERS = replace(make_policy(mutes=True), repeat_policy=RepeatPolicy(recovers=True))
NONE = "no backup"


def watch(absent: timedelta = HOUR, *, policy: Policy | None = None) -> Job:
    policy = policy or make_policy()
    job = make_job("backup.none", policy=policy)
    return replace(job, trigger=Absence(absent, absent, policy.hours), rule=Rule(("backup.*",), {"ok": True}))


def done(time: str, name: str = "backup.done", **fields: object) -> Emitted:
    return Emitted(name, at(time), {"ok": True, **fields})


def rig_of(policy: Policy | None = None, snapshot: Snapshot | None = None, start: str = "16 09:00") -> Rig:
    return Rig(watch(policy=policy), start=start, snapshot=snapshot)


def notice(rig: Rig, event: Emitted) -> None:
    rig.clock.set(event.at)
    rig.engine.handle(event)


def reasons(rows: list[Record]) -> list[tuple[str, str | None]]:
    return [(row.verdict.value, why(row.reasons, row.slot) or None) for row in rows]


def test_the_function_is_not_called_when_the_event_comes() -> None:
    rig = rig_of()

    notice(rig, done("16 09:30"))

    assert rig.executor.runs == []
    assert reasons(rig.rows()) == [("quiet", "backup.done came")]


def test_the_function_is_called_without_an_event_when_none_came() -> None:
    rig = rig_of()

    rig.due("16 10:00", name="backup.none")

    (run,) = rig.executor.runs
    assert (run.slot, run.event) == (at("16 10:00"), None)


def test_a_slot_that_an_event_has_overtaken_is_none() -> None:
    rig = rig_of()
    notice(rig, done("16 09:30"))

    rig.due("16 10:00", name="backup.none")

    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("quiet", 1)]


def test_an_event_that_its_criteria_do_not_want_changes_nothing() -> None:
    rig = rig_of()
    notice(rig, done("16 09:30", ok=False))
    notice(rig, done("16 09:31", name="restore.done"))

    rig.due("16 10:00", name="backup.none")

    assert len(rig.executor.runs) == 1


def test_the_event_ends_the_incident_and_tells_so() -> None:
    rig = rig_of(RECOVERS)
    rig.play("16 10:00", said(NONE), "backup.none")

    notice(rig, done("16 10:25"))

    assert rig.texts == [NONE, ":white_check_mark: *backup.none* recovered after 25m, 1 alert"]
    assert reasons(rig.rows()) == [
        ("said", "no backup.* since Mon 16 Nov 09:00"),
        ("said", "recovered after 25m, 1 alert"),
    ]


def test_without_recover_the_event_ends_the_incident_without_a_word() -> None:
    rig = rig_of()
    rig.play("16 10:00", said(NONE), "backup.none")

    notice(rig, done("16 10:25"))

    assert rig.texts == [NONE]
    assert rig.engine.state_of("backup.none").incident is None


def test_an_event_that_comes_during_the_run_is_heeded_after_it() -> None:
    rig = rig_of(RECOVERS)
    rig.due("16 10:00", name="backup.none")
    notice(rig, done("16 10:00:01"))

    rig.executor.finish(said(NONE))

    assert rig.texts == [NONE, ":white_check_mark: *backup.none* recovered after 1s, 1 alert"]


def test_a_pause_neither_keeps_the_event_from_counting_nor_from_ending_the_incident() -> None:
    rig = rig_of(replace(RECOVERS, max_alert=1, mutes=False))
    rig.play("16 10:00", said(NONE), "backup.none")
    rig.rows()

    rig.due("16 10:30", name="backup.none")
    notice(rig, done("16 10:25"))

    assert verdicts(rig.rows()) == [("said", 1)]


def test_what_a_restart_needs_to_know_is_when_the_event_came_last() -> None:
    rig = rig_of()

    notice(rig, done("16 09:30"))

    (job_state,) = rig.engine.jobs()
    assert job_state.seen == JobProgress(at("16 09:30"), at("16 09:30"))


def test_after_a_restart_the_absence_goes_on() -> None:
    before = Snapshot(seen={"backup.none": JobProgress(at("16 08:30"), at("16 08:30"))})
    rig = rig_of(snapshot=before, start="16 09:20")

    assert rig.engine.catch_up(at("16 09:20")) == {}
    assert rig.executor.runs == []
    rig.due("16 09:30", name="backup.none")
    assert len(rig.executor.runs) == 1


def test_an_absence_that_passed_while_nobody_ran_is_told_at_the_start() -> None:
    before = Snapshot(seen={"backup.none": JobProgress(at("16 07:30"), at("16 07:30"))})
    rig = rig_of(snapshot=before, start="16 08:40")

    rig.engine.catch_up(at("16 08:40"))

    assert [run.slot for run in rig.executor.runs] == [at("16 08:30")]


def test_an_event_that_lay_waiting_while_nobody_ran_is_in_time() -> None:
    before = Snapshot(seen={"backup.none": JobProgress(at("16 07:30"), at("16 07:30"))})
    rig = rig_of(snapshot=before, start="16 08:40")

    rig.engine.handle(done("16 08:00"))
    rig.engine.catch_up(at("16 08:40"))

    assert rig.executor.runs == []


def test_an_event_whose_end_of_the_incident_a_crash_lost_ends_it_at_the_start() -> None:
    rig = rig_of(RECOVERS)
    rig.play("16 10:00", said(NONE), "backup.none")
    lost = Snapshot(
        states={"backup.none": rig.engine.state_of("backup.none")},
        seen={"backup.none": JobProgress(at("16 10:25"), at("16 10:00"))},
        events=(AcceptedEvent(replace(done("16 10:25"), id=7), ("backup.none",)),),
    )

    again = rig_of(RECOVERS, snapshot=lost, start="16 10:30")

    assert again.texts == [":white_check_mark: *backup.none* recovered after 25m, 1 alert"]


def test_a_clock_that_was_ahead_does_not_silence_it() -> None:
    rig = rig_of()

    rig.engine.handle(done("20 09:00"))

    (job_state,) = rig.engine.jobs()
    assert job_state.anchor == at("16 09:00")


def test_another_rule_begins_anew() -> None:
    """The event of the new rule was not watched before."""
    rig = rig_of()
    changed = replace(watch(), rule=Rule(("backup.finished",), {}))

    rig.engine.adopt(Catalog((changed,)), Snapshot(), at("16 09:40"))

    (job_state,) = rig.engine.jobs()
    assert job_state.anchor == at("16 09:40")


def test_time_in_which_no_sensor_could_notice_is_left_out() -> None:
    sensor = replace(make_job("backup.probe"), emits=("backup.done",))
    rig = Rig(watch(), sensor, start="16 09:00")

    moved = rig.engine.absences.allow_for(40 * MINUTE)

    assert moved == {"backup.none": JobProgress(at("16 09:40"), None)}


def test_time_in_which_a_script_may_have_emitted_counts() -> None:
    assert rig_of().engine.absences.allow_for(40 * MINUTE) == {}


def test_a_simulation_shows_the_alerts_of_a_day_without_the_event() -> None:
    clock = VirtualClock(at("16 00:00"))
    simulation = Simulation(Catalog((watch(8 * HOUR),)), clock, ScriptedExecutor({}, MARK), mark=MARK, skips=True)

    simulation.run_until(at("17 00:00"))

    rows = [(row.slot, row.verdict) for row in simulation.recorder.drain()]
    assert rows == [(at("16 08:00"), Verdict.SAID), (at("16 16:00"), Verdict.SAID)]


def test_a_simulation_heeds_what_sensors_notice() -> None:
    clock = VirtualClock(at("16 00:00"))
    simulation = Simulation(Catalog((watch(8 * HOUR),)), clock, ScriptedExecutor({}, MARK), mark=MARK)

    simulation.run_until(at("16 07:00"))
    simulation.engine.handle(done("16 07:00"))
    simulation.run_until(at("16 15:00"))

    assert verdicts(simulation.recorder.drain()) == [("quiet", 1)]


def test_nothing_is_remembered_of_an_event_that_ends_nothing() -> None:
    rig = rig_of()

    notice(rig, done("16 09:30"))

    assert rig.engine.state_of("backup.none") == State()
