"""The slots that passed while nobody looked: why each did not run, without visiting every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.schedule.triggers import Trigger
from slack_alert.core.structs import Struct, replace

_TICK = timedelta(microseconds=1)


class SlotRange(Struct, frozen=True):
    """A row of slots with one verdict, and one count of alerts."""

    verdict: Verdict
    first: datetime
    last: datetime
    count: int


class FirstSlots:
    """The first due times after given instants, each found once for all the jobs that share a trigger."""

    def __init__(self) -> None:
        #: With the trigger, so that it lives: an object takes its number with it when it goes.
        self._known: dict[tuple[int, datetime, datetime], tuple[Trigger, datetime | None]] = {}

    def after(self, trigger: Trigger, after: datetime, anchor: datetime) -> datetime | None:
        """Find the first due time after `after`."""
        # By its number, because looking into a trigger takes longer than asking it.
        key = (id(trigger), after, anchor)
        if key not in self._known:
            self._known[key] = trigger, trigger.next_after(after, anchor)
        return self._known[key][1]


def gaps(
    job: Job, state: State, hold: Pause | None, *, after: datetime, until: datetime, anchor: datetime
) -> Iterator[SlotRange]:
    """Account for the slots in (after, until]; those that could have run are `missed`.

    The work grows with the changes of hours and pauses in that time, not with the number of slots.
    """
    if is_free(job, state, hold):
        # Most jobs, and after a long stall there are many: what nothing forbids needs no more than a count.
        passed = job.trigger.passed(after, until, anchor)
        if passed.first is not None and passed.last is not None:
            yield SlotRange(Verdict.MISSED, passed.first, passed.last, passed.count)
        return
    while (slot := job.trigger.next_after(after, anchor)) is not None and slot <= until:
        verdict = gate(job, state, slot, hold=hold)
        turn = min((at for at in _turns(job, state, hold, slot) if at > slot), default=until + _TICK)
        passed = job.trigger.passed(slot - _TICK, min(turn - _TICK, until), anchor)
        after = passed.last or slot
        yield SlotRange(Verdict.MISSED if verdict is Verdict.GO else verdict, slot, after, max(passed.count, 1))


def is_free(job: Job, state: State, hold: Pause | None) -> bool:
    """Return whether nothing forbids any slot, and no alert weighs: what comes of such jobs differs by their names."""
    alerts = state.alerts
    return hold is None and alerts.until is None and not alerts.spent and job.policy.hours.is_always


def make_up(
    job: Job, rows: list[SlotRange], anchor: datetime, *, young_after: datetime | None = None
) -> tuple[list[SlotRange], datetime | None]:
    """Take the last slot out of the rows that shall still run, if it could.

    Of an elapsed interval it is the last of all; of the wall clock the last one after `young_after`, if any.
    """
    place = _made_up(job, rows, young_after)
    if place is None:
        return rows, None
    row = rows[place]
    rest = job.trigger.passed(row.first - _TICK, row.last - _TICK, anchor)
    is_more = rest.last is not None and rest.count
    before = [replace(row, last=rest.last or row.last, count=rest.count)] if is_more else []
    return [*rows[:place], *before, *rows[place + 1 :]], row.last


def _made_up(job: Job, rows: list[SlotRange], young_after: datetime | None) -> int | None:
    """Find the row whose last slot still runs."""
    if not job.trigger.by_wall_clock:
        return len(rows) - 1 if rows and rows[-1].verdict is Verdict.MISSED else None
    missed = [place for place, row in enumerate(rows) if row.verdict is Verdict.MISSED]
    return missed[-1] if missed and young_after is not None and rows[missed[-1]].last > young_after else None


def _turns(job: Job, state: State, hold: Pause | None, slot: datetime) -> Iterator[datetime]:
    """Yield the instants at which the verdict, or what weighs beside it, may change."""
    change = job.policy.hours.next_change(slot)
    for at in (change, state.alerts.until, hold.until if hold else None):
        if at is not None:
            yield at
    if state.alerts.until is None:
        yield from (at + job.policy.pause_time for at in state.alerts.spent)
