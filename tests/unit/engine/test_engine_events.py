from __future__ import annotations

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.events import Emitted
from slack_alert.core.model.request import Emit, Request
from slack_alert.core.model.run import QUIET
from slack_alert.core.policy.quota import Pause
from slack_alert.core.rules.rule import Rule
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StartedRun
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import Kept, Rig, at, make_job, make_policy, make_rule, said, verdicts


def full(time: str = "16 09:01", **fields: object) -> Emitted:
    return Emitted("disk.full", at(time), fields)


def test_a_rule_runs_with_the_event_at_its_moment() -> None:
    rig = Rig(make_rule())

    rig.engine.handle(full(mount="/var"))

    (run,) = rig.executor.runs
    assert (run.binding, run.slot, run.event) == ("disk.full", at("16 09:01"), {"mount": "/var"})


def test_events_nobody_wants_leave_nothing() -> None:
    rig = Rig(make_rule(on="backup.done"), make_job())

    rig.engine.handle(full())

    assert (rig.executor.runs, rig.rows()) == ([], [])


def test_events_are_answered_one_after_the_other_in_order() -> None:
    rig = Rig(make_rule())
    for number in range(3):
        rig.engine.handle(full(number=number))

    answered = []
    while rig.executor.runs:
        (run,) = rig.executor.runs
        answered.append(run.event)
        rig.executor.finish(QUIET)

    assert answered == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert verdicts(rig.rows()) == [("quiet", 1)] * 3


def test_any_number_of_events_may_wait() -> None:
    rig = Rig(make_rule())
    for number in range(3000):
        rig.engine.handle(full(number=number))

    answered = 0
    while rig.executor.runs:
        answered += 1
        rig.executor.finish(QUIET)

    assert (answered, verdicts(rig.rows())) == (3000, [("quiet", 1)] * 3000)


class Stored:
    """A rig of which a kill leaves what its store has; by default it is killed as soon as anything is asked of it."""

    def __init__(self, *jobs: Job, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.rig = Rig(
            *jobs, recorder=DirectRecorder(self.store, VirtualClock(at("16 09:00"))), snapshot=self.store.open()
        )

    @property
    def kept(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(one.event.name, one.jobs) for one in self.store.snapshot().events]

    def killed(self, *jobs: Job) -> Stored:
        """Return the next life after a kill."""
        return Stored(*jobs, store=self.store)


def test_an_event_is_kept_until_the_last_run_that_answers_it_has_ended() -> None:
    life = Stored(make_rule(), make_rule("disk.note", on="disk.*"))
    life.rig.engine.handle(full(mount="/var"))

    assert life.kept == [("disk.full", ("disk.full", "disk.note"))]
    life.rig.executor.finish(QUIET)
    assert life.kept == [("disk.full", ("disk.note",))]
    life.rig.executor.finish(said("91 %"))
    assert life.kept == []


def test_an_event_that_no_rule_wants_waits_for_none_and_is_in_the_history() -> None:
    life = Stored(make_rule(on="backup.done"))

    life.rig.engine.handle(full())

    assert life.kept == []
    assert [(one.event.name, one.state.value) for one in life.store.events(limit=9)] == [("disk.full", "unknown")]


def test_after_a_kill_the_events_are_answered_that_were_not_and_in_their_order() -> None:
    life = Stored(make_rule())
    for number in range(3):
        life.rig.engine.handle(full(number=number))
    life.rig.executor.finish(QUIET)

    again = life.killed(make_rule())
    answered = []
    while again.rig.executor.runs:
        (run,) = again.rig.executor.runs
        answered.append((run.event, run.slot))
        again.rig.executor.finish(QUIET)

    assert answered == [({"number": 1}, at("16 09:01")), ({"number": 2}, at("16 09:01"))]
    assert again.kept == []


@pytest.mark.parametrize("verdict", ["paused", "off_hours"])
def test_an_event_that_the_gate_refuses_is_answered_by_its_line(verdict: str) -> None:
    life = Stored(make_rule(policy=make_policy("9:00-17:00")))
    life.rig.pause("disk.full", Pause() if verdict == "paused" else None)

    life.rig.engine.handle(full("16 08:59" if verdict == "off_hours" else "16 09:01"))

    assert life.kept == []
    assert [line.record.verdict for line in life.store.history(job=None, since=None, limit=None)] == [verdict]


def test_a_job_whose_file_is_away_answers_when_it_is_back() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full())

    without = life.killed(make_job())
    assert (without.rig.executor.runs, without.kept) == ([], [("disk.full", ("disk.full",))])
    without.rig.engine.adopt(Catalog((make_job(), make_rule())), without.store.snapshot(), at("16 09:05"))

    assert [run.binding for run in without.rig.executor.runs] == ["disk.full"]


def test_a_job_that_has_no_rule_any_more_answers_nothing() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full())

    again = life.killed(make_job("disk.full"))

    assert (again.rig.executor.runs, again.kept) == ([], [])


def test_a_run_that_the_end_of_the_program_cuts_off_is_made_again() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full())
    life.rig.engine.interrupt_runs()

    again = life.killed(make_rule())

    assert [run.event for run in again.rig.executor.runs] == [{}]


def test_of_events_that_came_together_a_kill_takes_only_the_one_that_was_being_answered() -> None:
    """A run that goes on is known by its job and slot, which the events of one value of a sensor share."""
    life = Stored(make_rule())
    for number in range(3):
        life.rig.engine.handle(full(number=number))
    life.rig.executor.finish(QUIET)
    (going_on,) = life.rig.executor.runs
    begun = StartedRun(going_on.id, going_on.binding, going_on.slot, going_on.slot)
    life.store.commit(Batch(running=(begun,)))

    again = life.killed(make_rule())

    assert [run.event for run in again.rig.executor.runs] == [{"number": 2}]
    assert [line.record.verdict for line in life.store.history(job=None, since=None, limit=None)][-1] == "interrupted"


def test_an_event_that_ends_the_program_again_and_again_is_given_up() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full(number=1))
    life.rig.engine.handle(full(number=2))

    begun = []
    for _ in range(4):
        life = life.killed(make_rule())
        begun += [run.event for run in life.rig.executor.runs]

    assert begun == [{"number": 1}, {"number": 1}, {"number": 1}, {"number": 2}]


def test_what_waits_while_the_program_ends_is_for_the_next_start() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full(number=1))
    life.rig.engine.handle(full(number=2))
    life.rig.engine.stop()
    life.rig.executor.finish(QUIET)

    assert life.rig.executor.runs == []
    assert [run.event for run in life.killed(make_rule()).rig.executor.runs] == [{"number": 2}]


def test_what_json_does_not_know_is_text_after_a_kill_and_itself_before() -> None:
    life = Stored(make_rule())
    life.rig.engine.handle(full(at=at("16 09:00")))

    again = life.killed(make_rule())

    assert [run.event for run in life.rig.executor.runs] == [{"at": at("16 09:00")}]
    assert [run.event for run in again.rig.executor.runs] == [{"at": "2026-11-16 08:00:00+00:00"}]


def test_an_event_that_a_person_emits_is_kept_with_the_request_that_is_taken() -> None:
    """Else a kill in between would lose it, or answer it twice."""
    life, rows = Stored(make_rule()), Kept()
    life.rig.through.recorder = rows

    life.rig.engine.handle(replace(Request.of(Emit("disk.full", {"mount": "/"}), at("16 09:01")), id=7))

    (batch,) = rows.batches
    assert (batch.taken, [one.jobs for one in batch.accepted]) == (7, [("disk.full",)])


def test_a_rule_has_a_quota_and_rests() -> None:
    rig = Rig(make_rule(policy=make_policy(max_alert=2)))
    for minute in range(1, 5):
        rig.engine.handle(full(f"16 09:0{minute}"))
        if rig.executor.runs:
            rig.executor.finish(said("91 %"))

    assert rig.texts == ["91 %", "91 %\n2 alerts: paused for 60 min, until 10:02"]
    assert verdicts(rig.rows()) == [("said", 1), ("said", 1), ("paused", 2)]


def test_events_that_waited_for_the_alert_that_starts_the_pause_are_recorded_as_paused() -> None:
    rig = Rig(make_rule(policy=make_policy(max_alert=1)))
    for _ in range(3):
        rig.engine.handle(full())

    rig.executor.finish(said("91 %"))

    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("said", 1), ("paused", 1), ("paused", 1)]


def test_working_hours_and_a_pause_by_hand_bind_rules() -> None:
    rig = Rig(make_rule(policy=make_policy("9:00-17:00")))
    rig.engine.handle(full("16 08:59"))
    rig.pause("disk.full", Pause())
    rig.engine.handle(full("16 09:01"))

    assert rig.executor.runs == []
    assert verdicts(rig.rows()) == [("off_hours", 1), ("paused", 1)]


def test_what_a_sensor_notices_is_answered() -> None:
    rig = Rig(replace(make_job("disk.probe"), emits=("disk.full",)), make_rule())
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
    rig.engine.handle(full("16 09:11"))
    rig.due("16 09:20", name="disk.full")

    assert len(rig.executor.runs) == 1
    rig.executor.finish(QUIET)

    assert [run.event for run in rig.executor.runs] == [{}]
    assert sorted(verdicts(rig.rows())) == [("overlapped", 1), ("quiet", 1)]
