"""A rule: the events that a function reacts to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Protocol

from slack_alert.core.rules.criteria import Criteria, Finding, findings, hold, shown
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.names import composed


class Matchable(Protocol):
    """What a rule looks at."""

    @property
    def name(self) -> str:
        """The name of the event."""

    @property
    def at(self) -> datetime:
        """When it happened."""

    @property
    def fields(self) -> Mapping[str, object]:
        """Its values."""


class Rule(Struct, frozen=True):
    """The events that a job reacts to: by name (`disk.*` for several), and by the values of their fields."""

    on: tuple[str, ...]
    #: All of these criteria must hold.
    where: Criteria
    #: Those of one of them must hold, those of each, and not all of these.
    any_of: tuple[Criteria, ...] = ()
    all_of: tuple[Criteria, ...] = ()
    none_of: Criteria = field(default_factory=dict)
    #: When the event must happen; None: at any time.
    within: WorkingHours | None = None
    #: How many events are answered in which time; None: any number.
    at_most: Rate | None = None
    #: For so long events are collected for one run; None: each has its own.
    collect: timedelta | None = None
    #: It reacts where no other rule of its pack does.
    is_otherwise: bool = False

    def matches(self, event: Matchable, now: datetime | None = None) -> bool:
        """Return whether an event matches; every criterion must hold. Ages are as of `now`, else of the event."""
        return self.matches_name(event.name) and self.holds_for(event, now)

    def matches_name(self, name: str) -> bool:
        """Return whether an event of this name can match."""
        return any(fnmatchcase(composed(name), composed(each)) for each in self.on)

    def holds_for(self, event: Matchable, now: datetime | None = None) -> bool:
        """Return whether every criterion holds for an event of a name that can match."""
        fields, now = event.fields, now or event.at
        return (
            hold(self.where, fields, now)
            and all(hold(each, fields, now) for each in self.all_of)
            and (not self.any_of or any(hold(each, fields, now) for each in self.any_of))
            and not (self.none_of and hold(self.none_of, fields, now))
            and (self.within is None or self.within.contains(event.at))
        )

    def findings(self, event: Matchable, now: datetime | None = None) -> Iterator[Finding]:
        """Yield what each criterion finds in an event, in the order in which they are judged."""
        fields, now = event.fields, now or event.at
        yield from findings(self.where, fields, now)
        for each in self.all_of:
            yield from findings(each, fields, now)
        if self.any_of:
            parts = tuple(_joined(each, fields, now) for each in self.any_of)
            yield Finding("any", f"one of {len(parts)}", None, any(part.holds for part in parts), parts=parts)
        if self.none_of:
            part = _joined(self.none_of, fields, now)
            yield Finding("not", part.wanted, None, not part.holds, parts=part.parts)
        if self.within is not None:
            moment = event.at.astimezone(self.within.zone)
            yield Finding("within", self.within.text, f"{moment:%a %H:%M}", self.within.contains(event.at))

    def describe(self) -> str:
        """Return the names of the events as text for people."""
        return "on " + ", ".join(self.on)


def _joined(criteria: Criteria, fields: Mapping[str, object], now: datetime) -> Finding:
    """Return what criteria find that must all hold."""
    parts = tuple(findings(criteria, fields, now))
    wanted = ", ".join(f"{path} {shown(criterion)}" for path, criterion in criteria.items())
    return Finding("all", wanted, None, all(part.holds for part in parts), parts=parts)
