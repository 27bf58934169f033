"""Sensors: which events their values become, and when the process of one that runs for ever is started again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from slack_alert.core.errors import BadValue
from slack_alert.core.events import fields_of
from slack_alert.core.structs import Struct, Word, replace
from slack_alert.core.units.names import composed, suggestion

#: The delay before the first restart; before the second within a minute it is twice as long.
RESTART_DELAY = timedelta(seconds=2.5)
#: So many failures within this time, and it is not started again.
MOST_FAILURES = 3
FAILURE_WINDOW = timedelta(minutes=1)


class SensorPhase(Word):
    """What the process of a sensor is at, in the words that `sensors` shows."""

    RUNNING = "running"
    #: It failed, and is started again soon.
    RESTARTING = "restarting"
    #: Its generator has returned, which is final.
    EXITED = "exited"
    GIVEN_UP = "given_up"
    PAUSED = "paused"


class Supervision(Struct, frozen=True):
    """The phase of a sensor that runs for ever."""

    phase: SensorPhase
    since: datetime
    #: Its failures within the last minute, oldest first.
    failures: tuple[datetime, ...] = ()
    #: How often it was started again after a failure.
    restarts: int = 0
    #: When it is started again.
    due: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether it is to be started again by now."""
        return self.due is not None and now >= self.due

    def started(self, now: datetime) -> Supervision:
        """Return the phase after its process was started again."""
        return replace(self, phase=SensorPhase.RUNNING, since=now, restarts=self.restarts + 1, due=None)

    def failed(self, now: datetime) -> Supervision:
        """Return the phase after a failure: it is started again after a delay, or given up."""
        recent = (*(at for at in self.failures if at > now - FAILURE_WINDOW), now)
        if len(recent) >= MOST_FAILURES:
            return replace(self, phase=SensorPhase.GIVEN_UP, since=now, failures=recent, due=None)
        due = now + RESTART_DELAY * len(recent)
        return replace(self, phase=SensorPhase.RESTARTING, since=now, failures=recent, due=due)

    def returned(self, now: datetime) -> Supervision:
        """Return the phase after its generator has returned."""
        return replace(self, phase=SensorPhase.EXITED, since=now, due=None)

    def paused(self, now: datetime) -> Supervision:
        """Return the phase after it was paused."""
        return replace(self, phase=SensorPhase.PAUSED, since=now, failures=(), due=None)


def first_start(now: datetime, *, is_paused: bool = False) -> Supervision:
    """Return the phase of a sensor that has just been started, or is paused from the beginning."""
    return Supervision(SensorPhase.PAUSED if is_paused else SensorPhase.RUNNING, now)


def is_named_event(emits: tuple[str, ...], value: object) -> bool:
    """Return whether a value is an event that names its kind: `"created", {"path": "/a"}`, of a sensor with several."""
    return len(emits) > 1 and isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def noticed_event(emits: tuple[str, ...], value: object) -> tuple[str, Mapping[str, object]]:
    """Return the name and the fields of the event that a sensor's value becomes.

    Raise BadValue if a sensor with several kinds does not name one of its own.
    """
    if len(emits) == 1:
        return emits[0], fields_of(value)
    if not (is_named_event(emits, value) and isinstance(value, tuple)):
        said = f"a sensor with several kinds of events names that of each: got {type(value).__name__}"
        raise BadValue(said, hint=f'Write yield "{emits[0]}", {{...}}.')
    named, fields = value
    wanted = composed(named)
    for kind in emits:
        if kind == wanted or kind.endswith(f".{wanted}"):
            return kind, fields_of(fields)
    raise BadValue(f"this sensor does not emit {named!r}", hint=suggestion(named, emits))
