"""Explain an event: who said it, what each rule decided about it, which runs answered it, and what these led to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, tzinfo

from slack_alert.core.events import DEEPEST, Answer, EventState, KeptEvent
from slack_alert.core.excerpts import excerpt
from slack_alert.core.explain.facts import RecordWithMessages, quoted
from slack_alert.core.pipeline.reasons import record_reasons
from slack_alert.core.rules.criteria import Finding
from slack_alert.core.rules.matching import Decision
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_time

#: In characters: so much of the fields is shown.
_LONGEST = 300


class AnsweredBy(Struct, frozen=True):
    """A job that has answered an event."""

    answer: Answer
    #: None: the history does not go back so far, or has not come so far.
    told: RecordWithMessages | None = None


class EventFacts(Struct, frozen=True):
    """All that is known of an event."""

    kept: KeptEvent
    answers: tuple[AnsweredBy, ...] = ()
    #: The event that led to it, if that is still known.
    cause: KeptEvent | None = None
    #: The events that its runs emitted.
    led_to: tuple[EventFacts, ...] = ()


def explain_event(facts: EventFacts, *, zone: tzinfo, now: datetime) -> list[str]:
    """Return sentences on an event, those on further events with an indentation."""
    return [*_sentences(facts, zone, now)]


def shown_fields(kept: KeptEvent) -> str:
    """Return the beginning of the fields of an event as text."""
    fields = json.dumps(dict(kept.event.fields), ensure_ascii=False, default=str)
    return excerpt(fields, _LONGEST) if kept.event.fields else "no fields"


def shown_finding(found: Finding) -> str:
    """Return what a criterion found as text, such as `size > 10, got 3`."""
    if found.field == "within":
        return f"within {found.wanted}, and it was {found.actual}"
    if found.field in ("any", "not"):
        return f"{found.field} ({found.wanted})"
    got = "it is not there" if found.actual is None else f"got {found.actual}"
    return f"{found.field} {found.wanted}, {got}{f' ({found.fault})' if found.fault else ''}"


def _sentences(facts: EventFacts, zone: tzinfo, now: datetime) -> Iterator[str]:
    event = facts.kept.event
    by = f" by {event.by}" if event.by else ""
    when = format_time(event.at, zone, now, seconds="always")
    yield f"Event {event.id} is {event.name}{by}, {when}, with {shown_fields(facts.kept)}."
    if facts.cause is not None:
        yield f"A run that answered event {facts.cause.event.id}, {facts.cause.event.name}, emitted it."
    answered = {one.answer.job: one for one in facts.answers}
    for decision in facts.kept.decisions:
        yield _decided(decision)
        if (one := answered.pop(decision.rule, None)) is not None:
            yield from _answered(one, zone, now)
        elif decision.rule in facts.kept.waiting:
            yield f"  {decision.rule} has not answered it yet."
    for one in answered.values():  # Of a version that kept no decisions.
        yield from _answered(one, zone, now)
    if (unasked := _UNASKED.get(facts.kept.state)) is not None:
        yield unasked.format(depth=event.depth, deepest=DEEPEST)
    for further in facts.led_to:
        yield from (f"  {sentence}" for sentence in _sentences(further, zone, now))


_UNASKED = {
    EventState.UNKNOWN: "No rule waits for events of this name.",
    EventState.TOO_DEEP: "{depth} events led to it, and after {deepest} no rule is asked: they may never end.",
}


def _decided(decision: Decision) -> str:
    if decision.is_matched:
        return f"{decision.rule} matched."
    if decision.instead:
        return f"{decision.rule} reacts otherwise, and {decision.instead} matched."
    why = f": {shown_finding(decision.because)}" if decision.because is not None else ""
    return f"{decision.rule} did not match{why}."


def _answered(one: AnsweredBy, zone: tzinfo, now: datetime) -> Iterator[str]:
    answer = one.answer
    if one.told is None:
        run = f"Run {answer.run} of" if answer.run else "No run of"
        yield f"  {run} {answer.job} answered it; the history has no more of that."
        return
    record = one.told.record
    what = f"Run {answer.run} of {answer.job}" if answer.run else answer.job
    said = f" {quoted(record.text)}" if record.text else ""
    why = f" ({reasons})" if (reasons := record_reasons(record, zone)) else ""
    when = format_time(record.started or record.slot, zone, now, seconds="always")
    yield f"  {what}: {str(record.verdict).replace('_', ' ')}{said}{why}, {when}."
    for posted in one.told.posted:
        delivery = posted.delivery
        yield f"  Its message {delivery.id} to {delivery.message.to.shown} is {delivery.status}."
