"""List events, follow them, and find all that is known of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

from slack_alert.core.errors import BadValue
from slack_alert.core.events import Answer, KeptEvent
from slack_alert.core.explain.events import AnsweredBy, EventFacts
from slack_alert.core.explain.facts import RecordWithMessages
from slack_alert.core.model.record import NOT_RUN, Record
from slack_alert.core.units.names import composed
from slack_alert.engine.ports import Reader

#: So many events of a chain are told at most.
_MOST = 50
#: Read at once where events of one name are looked for among others.
_PAGE = 1_000


def list_events(
    reader: Reader, *, name: str | None = None, since: datetime | None = None, limit: int = 50
) -> list[KeptEvent]:
    """Return the newest events, oldest first; of one name, or of those that a pattern such as `disk.*` describes."""
    if name is None:
        return reader.events(since=since, limit=limit)
    found = reader.events(since=since, limit=_PAGE * _MOST)
    return [one for one in found if _has_name(one, name)][-limit:]


def follow_events(
    reader: Reader, after: int, *, name: str | None = None, wait: Callable[[], None]
) -> Iterator[KeptEvent]:
    """Yield the events that come after an id, for ever; `wait` passes the time where there are none."""
    while True:
        new = reader.events(after=after, limit=_PAGE)
        for one in new:
            after = one.event.id
            if name is None or _has_name(one, name):
                yield one
        if not new:
            wait()


def find_event(number: int, reader: Reader) -> EventFacts:
    """Return all that is known of an event, and of those that it led to; raise BadValue where there is none."""
    kept = reader.event(number)
    if kept is None:
        raise BadValue(f"There is no event {number}.", hint="`slack-alert events` lists them.")
    cause = reader.event(kept.event.cause) if kept.event.cause else None
    return _facts(kept, reader, cause, [_MOST])


def _has_name(kept: KeptEvent, pattern: str) -> bool:
    return fnmatchcase(composed(kept.event.name), composed(pattern))


def _facts(kept: KeptEvent, reader: Reader, cause: KeptEvent | None, left: list[int]) -> EventFacts:
    answers = tuple(AnsweredBy(answer, _told(kept, answer, reader)) for answer in kept.answers)
    further = []
    for one in reader.caused_events(kept.event.id):
        if left[0] > 0:
            left[0] -= 1
            further.append(_facts(one, reader, None, left))
    return EventFacts(kept, answers, cause, tuple(further))


def _told(kept: KeptEvent, answer: Answer, reader: Reader) -> RecordWithMessages | None:
    """Return the line of history of a job that answered, with its messages."""
    at = kept.event.at
    for line in reader.history(job=answer.job, since=at, limit=None):
        if _is_of(line.record, answer, at):
            posted = tuple(reader.posted(line.record.run)) if line.record.run else ()
            return RecordWithMessages(line.record, posted)
        if not answer.run and line.record.slot > at:
            return None
    return None


def _is_of(record: Record, answer: Answer, at: datetime) -> bool:
    if answer.run:
        return record.run == answer.run
    return record.verdict in NOT_RUN and record.slot <= at <= (record.until or record.slot)
