"""Jobs, an engine with books in memory, and an executor whose runs end when the test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Text, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import Action, Failure, Result, Run
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.policy.quota import Pause, Policy
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.triggers import Never, parse_trigger
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, Snapshot
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.engine import Engine
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector
from slack_alert.engine.ports import Journal, Recorder, RunHost, Tick
from slack_alert.engine.requests.apply import pause_request
from slack_alert.engine.simulation.doubles import MemoryRecorder, VirtualClock

BERLIN = ZoneInfo("Europe/Berlin")
MARK = Markup("4711")
OPS = Address("slack", "#ops")
ERRORS = Address("slack", "#errors")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def at(text: str, zone: tzinfo = BERLIN) -> datetime:
    """Read `16 09:30` or `16 09:30:15` of November 2026, whose 16th is a Monday."""
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=zone).astimezone(timezone.utc)


def make_policy(
    hours: str = "always", *, max_alert: int = 3, pause: timedelta = HOUR, mutes: bool = False, zone: tzinfo = BERLIN
) -> Policy:
    return Policy(WorkingHours.parse(hours, zone), max_alert=max_alert, pause_time=pause, mutes=mutes)


def make_job(
    name: str = "db.lag",
    *,
    every: Mapping[str, object] | None = None,
    policy: Policy | None = None,
    zone: tzinfo = BERLIN,
    at_start: bool = False,
) -> Job:
    trigger = parse_trigger(every or {"minutes": 10}, zone=zone, name=name)
    assert trigger is not None
    action = Action(name, "plugins/db.py", 3, doc="The replica lags.")
    return Job(name, action, trigger, policy or make_policy(zone=zone), OPS, ERRORS, zone, at_start=at_start)


def make_rule(name: str = "disk.full", *, on: str = "disk.full", policy: Policy | None = None) -> Job:
    return replace(make_job(name, policy=policy), trigger=Never(), rule=Rule((on,), {}))


def said(*texts: str) -> Result:
    return Result(tuple(Text(text) for text in texts))


def failed(message: str = "no route") -> Result:
    return Result(failure=Failure("OSError", message, "plugins/db.py:12", "Traceback: no route"))


class Held:
    """An executor that keeps each run until it is told how the run ends."""

    def __init__(self) -> None:
        self._kept: list[tuple[Run, RunHost]] = []

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        self._kept.extend((run, host) for run in runs)

    def stop(self) -> None:
        pass

    @property
    def runs(self) -> list[Run]:
        return [run for run, _ in self._kept]

    def finish(self, result: Result) -> None:
        """End the oldest run."""
        run, host = self._kept.pop(0)
        host.done(run, result)


class Through:
    """Books whose place a test may give to others meanwhile."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self.recorder.submit(batch, then)

    def record_quiet(self, record: Record) -> None:
        self.recorder.record_quiet(record)


class Kept(MemoryRecorder):
    """A recorder that keeps the batches, and tells that one is committed only of values and pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self.batches.append(batch)
        super().submit(batch, then if batch.is_numbered else None)


class Rig:
    """An engine at work, with everything it touches in reach."""

    def __init__(
        self,
        *jobs: Job,
        start: str = "16 09:00",
        snapshot: Snapshot | None = None,
        journal: Journal | None = None,
        slow_runs: SlowRunDetector | None = None,
        mute: MuteReason = never_muted,
        recorder: Recorder | None = None,
        has_buttons: bool = False,
        services: ContextServices | None = None,
    ) -> None:
        self.clock = VirtualClock(at(start))
        self.recorder = MemoryRecorder()
        self.through = Through(recorder or self.recorder)
        self.executor = Held()
        self.engine = Engine(
            Catalog(jobs or (make_job(),)),
            recorder=self.through,
            executor=self.executor,
            clock=self.clock,
            mark=MARK,
            journal=journal,
            mute=mute,
            slow_runs=slow_runs,
            has_buttons=has_buttons,
            services=services,
        )
        self.engine.restore(snapshot or Snapshot(), self.clock.now())

    def due(self, *times: str, name: str = "db.lag") -> None:
        self.clock.set(at(times[-1]))
        self.engine.handle(Tick([((name,), [at(time) for time in times])]))

    def pause(self, name: str, hold: Pause | None) -> None:
        """Pause or resume (None) a job, as a person asks for it."""
        self.engine.apply(pause_request(name, hold, self.clock.now()))

    def play(self, time: str, result: Result, name: str = "db.lag") -> None:
        """Let a slot come due whose run ends at once."""
        self.due(time, name=name)
        self.executor.finish(result)

    @property
    def texts(self) -> list[str]:
        return [fallback(message.piece) for message in self.recorder.messages]

    def rows(self) -> list[Record]:
        return self.recorder.drain()


def verdicts(rows: Sequence[Record]) -> list[tuple[str, int]]:
    return [(row.verdict.value, row.count) for row in rows]
