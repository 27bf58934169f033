"""Events: what happened, with its values, and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from slack_alert.core.content.values.row_types import as_row
from slack_alert.core.rules.matching import Decision
from slack_alert.core.structs import Struct, Word


class Emitted(Struct, frozen=True):
    """Something that happened, reported by a sensor or by a call of `emit`."""

    name: str
    at: datetime
    fields: Mapping[str, object]
    #: Who reported it: a sensor, or nobody known.
    by: str = ""
    #: Where the answer goes; empty: where the job that answers posts.
    reply_to: str = ""
    #: The id of the event that caused it, 0 for none, and how many came before it in that way.
    cause: int = 0
    depth: int = 0
    #: Given when it is accepted, where a job wants it; 0 before.
    id: int = 0
    #: How many starts of the program found it the next one that a job had to answer.
    attempts: int = 0


#: So many events may lead to one that is still answered.
DEEPEST = 10


class AcceptedEvent(Struct, frozen=True):
    """An event that is kept until each of these jobs has answered it; its fields have JSON values only."""

    event: Emitted
    jobs: tuple[str, ...]
    #: What was decided about it for each rule that waits for an event of its name.
    decisions: tuple[Decision, ...] = ()


class Answer(NamedTuple):
    """Which job has answered which event, and by which run; 0: by none, as the gate did not admit it."""

    event: int
    job: str
    run: int = 0


class EventState(Word):
    """What has become of an event."""

    #: Jobs have not answered it yet.
    WAITING = "waiting"
    #: All that wanted it have.
    ANSWERED = "answered"
    #: Rules wait for events of its name, and none wanted this one.
    UNMATCHED = "unmatched"
    #: No rule waits for events of its name.
    UNKNOWN = "unknown"
    #: Too many events led to it, so that rules may wake each other for ever: no rule was asked.
    TOO_DEEP = "too_deep"


class KeptEvent(Struct, frozen=True):
    """An event in the history."""

    event: Emitted
    #: The jobs that have not answered it.
    waiting: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def state(self) -> EventState:
        """What has become of it."""
        if self.event.depth > DEEPEST:
            return EventState.TOO_DEEP
        if self.waiting:
            return EventState.WAITING
        if self.answers:
            return EventState.ANSWERED
        return EventState.UNMATCHED if self.decisions else EventState.UNKNOWN


class HookCall(Struct, frozen=True):
    """A call of a hook that has shown the secret."""

    event: Emitted
    #: What tells that the call was made before: the ids of its delivery, and its signature. Empty: nothing does.
    marks: tuple[str, ...]
    #: Identifies the body.
    digest: str


class HookAnswer(Struct, frozen=True):
    """What became of a call."""

    #: The id of its event, or of that of the call which it repeats.
    event: int
    #: Whether it repeats a former call.
    is_repeated: bool = False
    #: Whether it has the marks of a former call, and another body: it was refused.
    is_refused: bool = False


def fields_of(value: object) -> Mapping[str, object]:
    """Return the fields of an event from a sensor's value: those of a record, or `value` for anything else."""
    found = as_row(value)
    return {"value": value} if found is None else {str(name): field for name, field in found.items()}


def plain_fields(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Return fields as they can be kept: values that JSON does not support as text."""
    try:
        found: Mapping[str, object] = json.loads(json.dumps(dict(fields), default=str))
    except (TypeError, ValueError, RecursionError):  # A key of some other kind, or a value within itself.
        return {name: str(value) for name, value in fields.items()}
    return found
