from __future__ import annotations

from collections.abc import Callable
from functools import partial

from slack_alert.core.catalog import Catalog
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.quota import Quota, State, reset_alert_quota, spend_alert
from slack_alert.engine.batches import Batch, JobProgress, Snapshot
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Tick
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.simulation.doubles import MemoryRecorder, VirtualClock
from tests.fakes.engine_rig import MARK, Held, at, make_job, make_policy, said

RESTING = State(alerts=Quota((at("16 09:00"),), at("16 10:00")))


def test_a_resume_while_a_run_is_settled_is_not_lost() -> None:
    """It came between the read of the state and the write of the new one."""
    job_state = JobState(make_job(), RESTING, JobProgress(at("16 08:00")), None)
    resumes = [partial(job_state.update_state, reset_alert_quota)]

    def decide(state: State) -> Settlement:
        if resumes:
            resumes.pop()()
        return Settlement(spend_alert(job_state.job.policy, state, at("16 09:10")), Verdict.SAID)

    job_state.settle(decide)

    assert job_state.state == State(alerts=Quota((at("16 09:10"),)))


def test_a_run_that_ends_while_somebody_resumes_is_not_lost() -> None:
    job_state = JobState(make_job(), RESTING, JobProgress(at("16 08:00")), None)
    errors = Quota((at("16 09:10"),))
    ends = [lambda: setattr(job_state, "state", State(job_state.state.alerts, errors))]

    def change(state: State) -> State:
        if ends:
            ends.pop()()
        return reset_alert_quota(state)

    assert job_state.update_state(change) == job_state.state == State(errors=errors)


class Slow(MemoryRecorder):
    """A recorder that lets another writer go first."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], object] | None = None
        self.states: dict[str, State] = {}

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        before, self.before = self.before, None
        if before is not None and batch.states:
            before()
        self.states.update(batch.states)
        super().submit(batch, then)


def test_what_is_written_last_is_what_is_so() -> None:
    recorder, executor, clock = Slow(), Held(), VirtualClock(at("16 09:00"))
    catalog = Catalog((make_job(policy=make_policy(max_alert=1)),))
    engine = Engine(catalog, recorder=recorder, executor=executor, clock=clock, mark=MARK)
    engine.restore(Snapshot(), clock.now())
    engine.handle(Tick([(("db.lag",), [at("16 09:10")])]))
    recorder.before = lambda: engine.hold("db.lag", None)

    executor.finish(said("late"))

    assert recorder.states["db.lag"] == engine.state_of("db.lag")
    assert engine.state_of("db.lag").alerts == Quota()
