"""Events that wait for the jobs that answer them: one after the other, when the job is free."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from slack_alert.core.content.markup import Markup
from slack_alert.core.events import Event
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Run
from slack_alert.core.pipeline.settle import settle
from slack_alert.core.units.humanize import dated
from slack_alert.engine.batches import Batch, Seen
from slack_alert.engine.ports import Books
from slack_alert.engine.runs.job_state import Hot
from slack_alert.engine.runs.run_records import spoken_record


class Absences:
    """Moves on what is due by the events that came; any thread may tell of one."""

    def __init__(self) -> None:
        self.awaiting: tuple[Hot, ...] = ()
        #: What sensors tell of.
        self._emitted: set[str] = set()

    def take_up(self, jobs: Iterable[Hot]) -> None:
        """Look after these, and after no others."""
        hots = tuple(jobs)
        self.awaiting = tuple(hot for hot in hots if hot.job.awaits)
        self._emitted = {hot.job.emits for hot in hots if hot.job.emits} if self.awaiting else set()

    def allow_for(self, away: timedelta) -> dict[str, Seen]:
        """Leave out the time in which nobody was running, where only a sensor of this program would have noticed."""
        fed = [hot for hot in self.awaiting if self._is_fed(hot) and not hot.state.is_alerting]
        for hot in fed:
            hot.anchor += away
        return {hot.job.name: Seen(hot.anchor) for hot in fed}

    def unfinished(self) -> list[Hot]:
        """Find the jobs of which a crash lost that their event came: they have it to answer again."""
        alerting = [(hot, hot.state.incident) for hot in self.awaiting if hot.state.is_alerting]
        found = [hot for hot, incident in alerting if incident is not None and incident.last < hot.anchor]
        for hot in found:
            assert hot.job.rule is not None, "it awaits"
            hot.events.append(Event(" or ".join(hot.job.rule.on), hot.anchor, {}))
        return found

    def came(self, event: Event, now: datetime) -> dict[str, Seen]:
        """Have what an event keeps from coming due begin anew; give what a restart needs to know of that."""
        moved: dict[str, Seen] = {}
        for hot in self.awaiting:
            if hot.job.rule is not None and hot.job.rule.wants(event):
                # A clock that was ahead elsewhere must not keep it silent.
                hot.anchor = max(hot.anchor, min(event.at, now))
                moved[hot.job.name] = Seen(hot.anchor)
        return moved

    def _is_fed(self, hot: Hot) -> bool:
        return hot.job.rule is not None and any(map(hot.job.rule.hears, self._emitted))


def missing(hot: Hot) -> str:
    """Say what did not come, and since when: `no backup.done since Sat 21 Nov 02:00`; empty where nothing had to."""
    if hot.job.rule is None or not hot.job.awaits:
        return ""
    return f"no {' or '.join(hot.job.rule.on)} since {dated(hot.anchor, hot.job.zone)}"


def arrival(hot: Hot, event: Event, run: int, mark: Markup, *, mute: str) -> Batch:
    """End the row of alerts that an absence began; give what is to be written of that."""
    came = Run(run, hot.job.name, hot.job.action, event.at, event=event.fields)
    before = hot.state
    settlement = hot.settle(lambda state: settle(hot.job, state, came, QUIET, mark, mute=mute))
    hot.pass_by(event.at)
    record = spoken_record(hot, came, QUIET, settlement)
    return Batch(
        states={hot.job.name: hot.state} if hot.state is not before else {},
        seen={hot.job.name: hot.seen},
        records=[record._replace(reason=record.reason or f"{event.name} came", duration=None)],
        messages=list(settlement.messages),
    )


#: So many events wait for one job at most; further ones find it still running.
WAITING = 1000


class Queues:
    """Lets jobs answer events; called on the writer's thread only, as two at once would both find a job free."""

    def __init__(
        self,
        books: Books,
        mark: Markup,
        mute: Callable[[str, datetime], str],
        *,
        next_id: Callable[[], int],
        react: Callable[[Hot, Event], None],
    ) -> None:
        self._books = books
        self._mark = mark
        self._mute = mute
        self._next_id = next_id
        #: Has a free job answer an event, if it may.
        self._react = react

    def take(self, hot: Hot, event: Event) -> None:
        """Have the job answer an event, at once or when it is free."""
        if len(hot.events) < WAITING:
            hot.events.append(event)
        else:
            reason = f"{WAITING:,} events waited already"
            self._books.note(Record(0, hot.job.name, event.at, Verdict.OVERLAPPED, reason=reason))
        self.go_on(hot)

    def go_on(self, hot: Hot) -> None:
        """Let the job answer what waits, while it is free."""
        while hot.run is None and hot.events:
            event = hot.events.popleft()
            if hot.job.awaits:
                mute = self._mute(hot.job.name, event.at)
                self._books.put(arrival(hot, event, self._next_id(), self._mark, mute=mute))
            else:
                self._react(hot, event)
