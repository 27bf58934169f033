"""List the rules, and judge an event by them without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, tzinfo

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.errors import BadValue
from slack_alert.core.events import Emitted
from slack_alert.core.rules.criteria import Finding, shown
from slack_alert.core.rules.matching import Decision, RuleIndex
from slack_alert.core.rules.rule import Rule
from slack_alert.core.structs import Struct
from slack_alert.core.units.local_time import parse_instant
from slack_alert.core.units.quantities import format_duration

_HINT = 'Write {"name": "disk.full", "fields": {"mount": "/var"}}.'


class JudgedRule(Struct, frozen=True):
    """A rule, and what each of its criteria found in an event."""

    job: Job
    decision: Decision
    findings: tuple[Finding, ...]
    #: Whether its events have another name.
    is_other_event: bool = False


def rules(catalog: Catalog) -> list[Job]:
    """Return the jobs that have rules, in the order of the files."""
    return [job for job in catalog.jobs if job.rule is not None]


def shown_criteria(rule: Rule) -> str:
    """Return the criteria of a rule as one text."""
    parts = [_joined(rule.where), *map(_joined, rule.all_of)]
    if rule.any_of:
        parts.append(f"any of ({' | '.join(map(_joined, rule.any_of))})")
    if rule.none_of:
        parts.append(f"not ({_joined(rule.none_of)})")
    if rule.within is not None:
        parts.append(f"within {rule.within.text}")
    if rule.is_otherwise:
        parts.append("otherwise")
    if rule.at_most is not None:
        parts.append(f"at most {rule.at_most}")
    if rule.collect is not None:
        parts.append(f"collected for {format_duration(rule.collect)}")
    return ", ".join(filter(None, parts))


def read_event(text: str, now: datetime, zone: tzinfo, rule: Rule | None = None) -> Emitted:
    """Return the event in a JSON document; without a name it is the fields alone, of the rule's first event.

    Raise BadValue if there is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadValue(f"This is no JSON: {error}.", hint=_HINT) from error
    if not isinstance(document, Mapping):
        raise BadValue("This is no record.", hint=_HINT)
    if not isinstance(document.get("name"), str) or not isinstance(document.get("fields", {}), Mapping):
        if rule is None:
            raise BadValue("The event has no name.", hint=f"{_HINT[:-1]}, or name a rule: --rule NAME.")
        return Emitted(rule.on[0], now, document)
    at = parse_instant(document["at"], zone) if isinstance(document.get("at"), str) else now
    return Emitted(document["name"], at, document.get("fields", {}), by=str(document.get("by", "")))


def judge(catalog: Catalog, event: Emitted, now: datetime, only: Job | None = None) -> list[JudgedRule]:
    """Return what the rules decide about an event that wait for its name, or that one rule does."""
    decided = RuleIndex(catalog.jobs).decide(event, now)
    judged = [_judged(job, decision, event, now) for job, decision in decided if only is None or job.name == only.name]
    if only is not None and not judged and only.rule is not None:
        return [_judged(only, Decision(only.name, False), event, now, is_other_event=True)]
    return judged


def _judged(job: Job, decision: Decision, event: Emitted, now: datetime, *, is_other_event: bool = False) -> JudgedRule:
    assert job.rule is not None, "only rules are judged"
    return JudgedRule(job, decision, tuple(job.rule.findings(event, now)), is_other_event)


def _joined(criteria: Mapping[str, object]) -> str:
    return ", ".join(f"{path} {shown(criterion)}" for path, criterion in criteria.items())
