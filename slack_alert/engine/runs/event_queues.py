"""Events that wait for the jobs that answer them: one after the other, when the job is free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from slack_alert.core.content.markup import Markup
from slack_alert.core.events import Event
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.ports import Books
from slack_alert.engine.runs.absent_events import arrival
from slack_alert.engine.runs.job_state import Hot

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
