from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.gate import gate, pause_status
from slack_alert.core.pipeline.missed import missed_ranges
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.schedule.slots import each_slot
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, JobProgress, Snapshot, StartedRun
from slack_alert.engine.engine import Engine
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import RunHost, Tick
from slack_alert.engine.recording.writer import DirectRecorder
from slack_alert.engine.requests.apply import mute_entry
from slack_alert.engine.simulation.doubles import ScriptedExecutor, VirtualClock
from slack_alert.engine.simulation.simulation import Simulation
from slack_alert.stores.memory import MemoryStore
from tests.fakes.acts import Acts
from tests.fakes.engine_rig import MARK, TICK, make_job, make_policy

pytestmark = pytest.mark.slow

UTC = timezone.utc
MOMENTS = (
    ("Europe/Berlin", datetime(2026, 3, 28, 20, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 10, tzinfo=UTC)),
)
TRIGGERS: tuple[dict[str, object], ...] = (
    {"minutes": 7},
    {"minutes": 10, "jitter": 300},
    {"hours": 1},
    {"cron": "*/15 * * * *"},
    {"cron": ["0 1 * * *", "30 2 * * *", "0 9 * * mon-fri"]},
    {"days": 1, "at": "02:30"},
    {"minutes": 30, "cron": "*/20 * * * *"},
)
HOURS = ("always", "9:30-19:00", "22:00-06:00", "1:30-2:30")

minutes = st.integers(0, 36 * 60).map(lambda count: timedelta(minutes=count))


@st.composite
def jobs(draw: st.DrawFn, name: str = "db.lag", zone: str = "Europe/Berlin") -> Job:
    policy = make_policy(
        draw(st.sampled_from(HOURS)),
        max_alert=draw(st.integers(0, 3)),
        pause=timedelta(minutes=draw(st.integers(1, 300))),
        mutes=draw(st.booleans()),
        zone=ZoneInfo(zone),
    )
    every = draw(st.sampled_from(TRIGGERS))
    return make_job(name, every=every, policy=policy, zone=ZoneInfo(zone), at_start=draw(st.booleans()))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Job, datetime]:
    zone, start = draw(st.sampled_from(MOMENTS))
    return draw(jobs(zone=zone)), start


def slots_of(job: Job, after: datetime, until: datetime, anchor: datetime) -> list[datetime]:
    return list(each_slot(lambda instant: job.trigger.next_after(instant, anchor), after=after, until=until))


# --- simulating with leaps and without


@given(
    st.sampled_from(MOMENTS).flatmap(
        lambda moment: st.tuples(st.just(moment[1]), jobs("a.one", moment[0]), jobs("b.two", moment[0]))
    ),
    st.lists(minutes, min_size=1, max_size=3),
    st.lists(st.sampled_from(["alert", "quiet", "error"]), min_size=2, max_size=2),
)
def test_leaping_over_what_cannot_run_gives_the_same_rows_line_for_line(
    scene: tuple[datetime, Job, Job], steps: list[timedelta], outcomes: list[str]
) -> None:
    start, *two = scene
    script = dict(zip(("a.one", "b.two"), outcomes, strict=True))

    def rows(*, skips: bool) -> list[Record]:
        executor = ScriptedExecutor(script, MARK)
        simulation = Simulation(Catalog(tuple(two)), VirtualClock(start), executor, mark=MARK, skips=skips)
        for step in steps:
            simulation.advance(step)
        return [row._replace(run=0, duration=None) for row in simulation.recorder.drain()]

    assert rows(skips=False) == rows(skips=True)


# --- simulating and living


VOICES = st.builds(
    RepeatPolicy,
    after=st.integers(1, 3),
    repeat=st.sampled_from(Repeat),
    remind=st.none() | st.just(timedelta(minutes=30)),
    recovers=st.booleans(),
)
OUTCOMES = st.lists(st.sampled_from(["", "one", "two", "!"]), min_size=1, max_size=30)
#: No job of these has two slots that are nearer to each other.
SLOWEST = timedelta(minutes=4)


@st.composite
def speakers(draw: st.DrawFn, zone: str) -> Job:
    """Draw a job with a voice; who tells of an incident's end runs on while it rests, as the loader has it."""
    job, repeat_policy = draw(jobs(zone=zone)), draw(VOICES)
    mutes = job.policy.mutes or repeat_policy.keeps_running
    return replace(job, policy=replace(job.policy, repeat_policy=repeat_policy, mutes=mutes))


class Slow:
    """An executor whose runs end some time after they began."""

    def __init__(self, acts: Acts, clock: VirtualClock, delays: Sequence[timedelta]) -> None:
        self._acts = acts
        self._clock = clock
        self._delays = delays
        self._begun = 0
        self._waiting: deque[tuple[datetime, Run, RunHost]] = deque()

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        for run in runs:
            delay = self._delays[self._begun % len(self._delays)]
            self._begun += 1
            self._waiting.append((run.slot + delay, run, host))

    def stop(self) -> None:
        pass

    def pass_until(self, now: datetime) -> None:
        """Let the runs end that are over by then."""
        while self._waiting and self._waiting[0][0] < now:
            at, run, host = self._waiting.popleft()
            self._clock.set(at)
            self._acts.submit([run], host)
        self._clock.set(now)


@given(st.data(), st.sampled_from(MOMENTS), OUTCOMES)
def test_a_real_run_leaves_the_record_that_was_simulated_line_for_line(
    data: st.DataObject, moment: tuple[str, datetime], outcomes: list[str]
) -> None:
    """With incidents, quotas, mutes, windows and hours, whenever the runs ended."""
    zone, start = moment
    job = data.draw(speakers(zone))
    until = start + data.draw(minutes)
    slots = slots_of(job, start - TICK, until, start)
    acts = Acts({slot: outcomes[number % len(outcomes)] for number, slot in enumerate([start, *slots])})
    muted = Mute(job.name, start + data.draw(minutes), start + data.draw(minutes), "ann")
    windows = [QuietWindow("backup", "22:00-23:30", ZoneInfo(zone))]
    mutes = Mutes([mute_entry(muted)], windows=windows, zone=ZoneInfo(zone))

    simulation = Simulation(Catalog((job,)), VirtualClock(start), acts, mark=MARK, skips=True, mute=mutes.reason)
    simulation.run_until(until)
    simulated = simulation.recorder.drain()

    delays = data.draw(st.lists(st.integers(0, 239), min_size=1, max_size=5))
    clock, store = VirtualClock(start), MemoryStore()
    executor = Slow(acts, clock, [timedelta(seconds=delay) for delay in delays])
    recorder = DirectRecorder(store, clock)
    engine = Engine(Catalog((job,)), recorder=recorder, executor=executor, clock=clock, mark=MARK, mute=mutes.reason)
    engine.restore(store.open(), start)
    engine.start(start)
    for slot in slots_of(job, start if job.at_start else start - TICK, until - TICK, start):
        executor.pass_until(slot)
        engine.handle(Tick([((job.name,), (slot,))]))
    executor.pass_until(until + SLOWEST)
    lived = [line.record for line in store.history(job=None, since=None, limit=None)]

    assert [row._replace(run=0) for row in simulated] == [row._replace(run=0) for row in lived]
    said = [(message.manner, message.piece, message.origin.slot) for message in simulation.recorder.messages]
    assert said == [(each.message.manner, each.message.piece, each.message.origin.slot) for each in store.deliveries()]


# --- gaps


@st.composite
def quotas(draw: st.DrawFn, start: datetime) -> Quota:
    spent = sorted(start - draw(minutes) for _ in range(draw(st.integers(0, 3))))
    return Quota(tuple(spent), start + draw(minutes) if draw(st.booleans()) else None)


@given(st.data(), scenes())
def test_rows_of_a_gap_are_the_slots_gated_one_by_one(data: st.DataObject, scene: tuple[Job, datetime]) -> None:
    job, start = scene
    state = State(alerts=data.draw(quotas(start)))
    hold = data.draw(st.none() | st.builds(Pause, st.none() | minutes.map(lambda step: start + step)))
    until = start + data.draw(minutes)
    anchor = start - data.draw(minutes)

    rows = list(missed_ranges(job, state, hold, after=start, until=until, anchor=anchor))

    expected = []
    for slot in slots_of(job, start, until, anchor):
        verdict = gate(job, state, slot, pause=hold)
        expected.append((slot, Verdict.MISSED if verdict is Verdict.GO else verdict, pause_status(job, state, slot)))
    found = [
        (slot, row.verdict, pause_status(job, state, row.first))
        for row in rows
        for slot in slots_of(job, row.first - TICK, row.last, anchor)
    ]
    assert expected == found
    assert [row.count for row in rows] == [len(slots_of(job, row.first - TICK, row.last, anchor)) for row in rows]


@given(scenes(), minutes)
def test_there_are_no_more_rows_than_openings_and_closings(scene: tuple[Job, datetime], span: timedelta) -> None:
    job, start = scene
    changes, instant = 0, job.policy.hours.next_change(start)
    while instant is not None and instant <= start + span:
        changes, instant = changes + 1, job.policy.hours.next_change(instant)

    assert len(list(missed_ranges(job, State(), None, after=start, until=start + span, anchor=start))) <= changes + 1


# --- restarts


class Notebook:
    """Books that can be read again after a restart."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.seen: dict[str, JobProgress] = {}
        self.lines: list[Record] = []

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self.states.update(batch.states)
        for name, seen in batch.seen.items():
            self._reach(name, seen)
        for record in batch.records:
            self.record_quiet(record)
        if then is not None:
            then()

    def record_quiet(self, record: Record) -> None:
        self.lines.append(record)
        self._reach(record.binding, JobProgress(self.seen[record.binding].first, record.until or record.slot))

    def _reach(self, name: str, seen: JobProgress) -> None:
        known = self.seen.get(name, seen)
        self.seen[name] = max(known, seen, key=lambda each: (each.last is not None, each.last or each.first))

    def snapshot(self, running: tuple[StartedRun, ...]) -> Snapshot:
        return Snapshot(states=dict(self.states), seen=dict(self.seen), running=running, last_run=len(self.lines) + 1)


class Dying(ScriptedExecutor):
    """An executor under which the program dies: its last run never ends."""

    def __init__(self, outcomes: dict[str, str], death: datetime | None) -> None:
        super().__init__(outcomes, MARK)
        self._death = death
        self.cut_off: list[Run] = []

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        self.cut_off += [run for run in runs if run.slot == self._death]
        super().submit([run for run in runs if run.slot != self._death], host)


def lived(job: Job, recorder: Notebook, executor: Dying, snapshot: Snapshot, at: tuple[datetime, datetime]) -> None:
    """Let the program run for a while, from its start to its end."""
    start, end = at
    clock = VirtualClock(start)
    engine = Engine(Catalog((job,)), recorder=recorder, executor=executor, clock=clock, mark=MARK)
    engine.restore(snapshot, start)
    engine.catch_up(start)
    (anchor,) = [job_state.anchor for job_state in engine.jobs() if job_state.job == job]
    # Elsewhere the run at the start has no slot of the grid.
    if anchor < start and slots_of(job, start - TICK, start, anchor):
        engine.start(start)
    for slot in slots_of(job, start, end, anchor):
        clock.set(slot)
        engine.handle(Tick([((job.name,), (slot,))]))


def covered(job: Job, rows: Sequence[Record], anchor: datetime) -> list[datetime]:
    """Return each slot the rows account for; a run that was cut off is one."""
    found: list[datetime] = []
    for row in rows:
        slots = slots_of(job, row.slot - TICK, row.until or row.slot, anchor)
        assert row.count == len(slots)
        found += slots
    return sorted(found)


@given(
    scenes(),
    st.lists(st.tuples(minutes, minutes), min_size=1, max_size=3),
    st.sampled_from(["alert", "quiet", "error"]),
    st.booleans(),
)
def test_restarts_account_for_each_slot_exactly_once(
    scene: tuple[Job, datetime], lives: list[tuple[timedelta, timedelta]], outcome: str, is_killed: bool
) -> None:
    job, anchor = scene
    recorder, start = Notebook(), anchor
    running: tuple[StartedRun, ...] = ()
    for life, downtime in lives:
        end = start + life
        last = job.trigger.passed(start, end, anchor).last
        executor = Dying({job.name: outcome}, last if is_killed else None)
        lived(job, recorder, executor, recorder.snapshot(running), (start, end))
        running = tuple(StartedRun(run.id, run.binding, run.slot, run.slot) for run in executor.cut_off)
        start = end + downtime
    lived(
        job, recorder, Dying({job.name: outcome}, None), recorder.snapshot(running), (start, start + timedelta(hours=3))
    )

    assert slots_of(job, anchor, start + timedelta(hours=3), anchor) == covered(job, recorder.lines, anchor)
