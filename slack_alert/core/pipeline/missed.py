"""Missed slots: why the slots of a time without a running scheduler did not run, in ranges of equal verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.schedule.triggers import Trigger
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.local_time import TICK


class SlotRange(Struct, frozen=True):
    """Consecutive slots with the same verdict and the same number of counted alerts."""

    verdict: Verdict
    first: datetime
    last: datetime
    count: int


class FirstSlots:
    """A cache of the first due times after an instant, for jobs that share a trigger."""

    def __init__(self) -> None:
        #: Holds the triggers as well, because the id of a deleted object may be used again.
        self._known: dict[tuple[int, datetime, datetime], tuple[Trigger, datetime | None]] = {}

    def after(self, trigger: Trigger, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first due time after `after`, or None."""
        # By id, because hashing a trigger takes longer than asking it.
        key = (id(trigger), after, anchor)
        if key not in self._known:
            self._known[key] = trigger, trigger.next_after(after, anchor)
        return self._known[key][1]


def missed_ranges(
    job: Job, state: State, pause: Pause | None, *, after: datetime, until: datetime, anchor: datetime
) -> Iterator[SlotRange]:
    """Yield the slots in (after, until] as ranges with verdicts; those that could have run are `missed`.

    The effort grows with the number of changes of hours and pauses in that time, not with the number of slots.
    """
    if is_unrestricted(job, state, pause):
        # Most jobs, which are many after a long stall: without any restriction a count is enough.
        passed = job.trigger.passed(after, until, anchor)
        if passed.first is not None and passed.last is not None:
            yield SlotRange(Verdict.MISSED, passed.first, passed.last, passed.count)
        return
    while (slot := job.trigger.next_after(after, anchor)) is not None and slot <= until:
        verdict = gate(job, state, slot, pause=pause)
        turn = min((at for at in _change_points(job, state, pause, slot) if at > slot), default=until + TICK)
        passed = job.trigger.passed(slot - TICK, min(turn - TICK, until), anchor)
        after = passed.last or slot
        yield SlotRange(Verdict.MISSED if verdict is Verdict.GO else verdict, slot, after, max(passed.count, 1))


def is_unrestricted(job: Job, state: State, pause: Pause | None) -> bool:
    """Return whether nothing restricts the job's slots and no alert counts, so that such jobs differ by name only."""
    alerts = state.alerts
    return pause is None and alerts.until is None and not alerts.spent and job.policy.hours.is_always


def take_catch_up_slot(
    job: Job, rows: list[SlotRange], anchor: datetime, *, young_after: datetime | None = None
) -> tuple[list[SlotRange], datetime | None]:
    """Return the ranges without the slot that is to run late, and that slot; None if there is none.

    For an elapsed interval it is the last slot, if that was missed; for a wall-clock trigger the last missed one, if it
    is after `young_after`.
    """
    place = _catch_up_index(job, rows, young_after)
    if place is None:
        return rows, None
    row = rows[place]
    rest = job.trigger.passed(row.first - TICK, row.last - TICK, anchor)
    is_more = rest.last is not None and rest.count
    before = [replace(row, last=rest.last or row.last, count=rest.count)] if is_more else []
    return [*rows[:place], *before, *rows[place + 1 :]], row.last


def _catch_up_index(job: Job, rows: list[SlotRange], young_after: datetime | None) -> int | None:
    """Return the index of the range whose last slot is to run late, or None."""
    if not job.trigger.by_wall_clock:
        return len(rows) - 1 if rows and rows[-1].verdict is Verdict.MISSED else None
    missed = [place for place, row in enumerate(rows) if row.verdict is Verdict.MISSED]
    return missed[-1] if missed and young_after is not None and rows[missed[-1]].last > young_after else None


def _change_points(job: Job, state: State, pause: Pause | None, slot: datetime) -> Iterator[datetime]:
    """Yield the instants at which the verdict or the number of counted alerts may change."""
    change = job.policy.hours.next_change(slot)
    for at in (change, state.alerts.until, pause.until if pause else None):
        if at is not None:
            yield at
    if state.alerts.until is None:
        yield from (at + job.policy.pause_time for at in state.alerts.spent)
