"""Simulates the engine on a virtual clock, with an executor that calls nothing and a recorder in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import groupby

from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.missed import missed_ranges
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.context.context import ContextServices
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Executor, Tick
from slack_alert.engine.runs.job_state import JobState
from slack_alert.engine.simulation.doubles import MemoryRecorder, ScriptedExecutor, VirtualClock


class Simulation:
    """Simulates the jobs of a catalog from the clock's instant on, as if first seen then unless a snapshot knows them.

    With `skips`, slots that cannot run are recorded in ranges without visiting each; then no job may pause another.
    """

    def __init__(
        self,
        catalog: Catalog,
        clock: VirtualClock,
        executor: Executor,
        *,
        mark: Markup,
        recorder: MemoryRecorder | None = None,
        services: ContextServices | None = None,
        skips: bool = False,
        mute: MuteReason = never_muted,
        snapshot: Snapshot | None = None,
        has_buttons: bool = False,
    ) -> None:
        self._clock = clock
        self._skips = skips
        self.recorder = recorder or MemoryRecorder()
        self.engine = Engine(
            catalog,
            recorder=self.recorder,
            executor=executor,
            clock=clock,
            mark=mark,
            services=services,
            mute=mute,
            has_buttons=has_buttons,
        )
        start = clock.now()
        self.engine.restore(snapshot or Snapshot(), start)
        self._job_states = self.engine.jobs()
        #: The next slot of every job, with the job's index.
        self._due: list[tuple[datetime, int]] = []
        for place, job_state in enumerate(self._job_states):
            self._plan(place, _search_start(job_state, start))
        self._has_begun = False

    @property
    def next_slot(self) -> datetime | None:
        """The next slot of any job, or None."""
        return self._due[0][0] if self._due else None

    def advance(self, by: timedelta) -> list[Message]:
        """Advance the time; return the messages posted meanwhile. The end is exclusive."""
        before = len(self.recorder.messages)
        self.run_until(self._clock.now() + by)
        return self.recorder.messages[before:]

    def run_until(self, end: datetime) -> None:
        """Process every slot before `end`, in order."""
        if not self._has_begun:
            self._has_begun = True
            self.engine.start(self._clock.now())
        while self._due and self._due[0][0] < end:
            slot = self._due[0][0]
            self._release_collected(slot)
            self._clock.set(slot)
            for (may_run, _), group in groupby(self._take(slot), key=partial(self._group_key, slot)):
                places = list(group)
                if may_run:
                    self.engine.handle(Tick([(tuple([self._job_states[place].job.name for place in places]), (slot,))]))
                for place in places:
                    self._plan(place, slot if may_run else self._skip_range(place, slot, end))
        self._release_collected(end)
        self._clock.set(end)

    def _release_collected(self, end: datetime) -> None:
        """Run the rules whose time to collect events is over before `end`."""
        while (at := self.engine.next_release()) is not None and at < end:
            self._clock.set(max(at, self._clock.now()))
            self.engine.release_collected()

    def _plan(self, place: int, after: datetime) -> None:
        job_state = self._job_states[place]
        if (slot := job_state.job.trigger.next_after(after, job_state.anchor)) is not None:
            heappush(self._due, (slot, place))

    def _take(self, slot: datetime) -> list[int]:
        """Remove and return the next job due at a slot; with `skips`, all jobs due at it."""
        taken: list[int] = []
        while self._due and self._due[0][0] == slot and (self._skips or not taken):
            _, place = heappop(self._due)
            if self._job_states[place].is_due(slot):
                taken.append(place)
            else:
                self._plan(place, slot - TICK)
        return taken

    def _group_key(self, slot: datetime, place: int) -> tuple[bool, int]:
        """Return whether a job may run, and its group: jobs with rules are not grouped, as they would run first."""
        job_state = self._job_states[place]
        may_run = not self._skips or gate(job_state.job, job_state.state, slot, pause=job_state.hold) is Verdict.GO
        return may_run, -1 if job_state.job.rule is None else place

    def _skip_range(self, place: int, slot: datetime, end: datetime) -> datetime:
        """Record a range of slots that cannot run; return its last slot."""
        job_state = self._job_states[place]
        rows = missed_ranges(
            job_state.job,
            job_state.state,
            job_state.hold,
            after=slot - TICK,
            until=end - TICK,
            anchor=job_state.anchor,
        )
        row = next(rows)
        self.engine.missed_slots.record_range(job_state, row)
        return row.last


def _search_start(job_state: JobState, start: datetime) -> datetime:
    """Return after when to look for slots: the start may be a slot, but a job with `at_start` runs once then."""
    return start if job_state.job.at_start else start - TICK


def simulate(
    catalog: Catalog,
    since: datetime,
    until: datetime,
    *,
    outcomes: Mapping[str, str],
    mark: Markup,
    mute: MuteReason = never_muted,
    recorder: MemoryRecorder | None = None,
) -> Iterator[Record]:
    """Yield the history from `since` to `until` (exclusive) without executing any plugin.

    `recorder` keeps the messages.
    """
    clock = VirtualClock(since)
    executor = ScriptedExecutor(outcomes, mark)
    simulation = Simulation(catalog, clock, executor, mark=mark, recorder=recorder, skips=True, mute=mute)
    simulation.run_until(until)
    yield from simulation.recorder.drain()
