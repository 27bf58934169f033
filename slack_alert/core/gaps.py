"""The slots that passed while nobody looked: why each did not run, without visiting every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.model import Verdict
from slack_alert.core.pipeline import gate
from slack_alert.core.policy import Hold, State
from slack_alert.core.triggers import Trigger

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Gap:
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
    job: Job, state: State, hold: Hold | None, *, after: datetime, until: datetime, anchor: datetime
) -> Iterator[Gap]:
    """Account for the slots in (after, until]; those that could have run are `missed`.

    The work grows with the changes of hours and pauses in that time, not with the number of slots.
    """
    while (slot := job.trigger.next_after(after, anchor)) is not None and slot <= until:
        verdict = gate(job, state, slot, hold=hold)
        turn = min((at for at in _turns(job, state, hold, slot) if at > slot), default=until + _TICK)
        passed = job.trigger.passed(slot - _TICK, min(turn - _TICK, until), anchor)
        after = passed.last or slot
        yield Gap(Verdict.MISSED if verdict is Verdict.GO else verdict, slot, after, max(passed.count, 1))


def make_up(job: Job, rows: list[Gap], anchor: datetime) -> tuple[list[Gap], datetime | None]:
    """Take the last slot out of the rows where it shall still run: that of an elapsed interval, if it could."""
    if not rows or rows[-1].verdict is not Verdict.MISSED or job.trigger.by_wall_clock:
        return rows, None
    last = rows[-1]
    rest = job.trigger.passed(last.first - _TICK, last.last - _TICK, anchor)
    kept = rows[:-1]
    if rest.last is not None and rest.count:
        kept.append(replace(last, last=rest.last, count=rest.count))
    return kept, last.last


def _turns(job: Job, state: State, hold: Hold | None, slot: datetime) -> Iterator[datetime]:
    """Give the instants at which the verdict, or what weighs beside it, may change."""
    change = job.policy.hours.next_change(slot)
    for at in (change, state.alerts.until, hold.until if hold else None):
        if at is not None:
            yield at
    if state.alerts.until is None:
        yield from (at + job.policy.pause_time for at in state.alerts.spent)
