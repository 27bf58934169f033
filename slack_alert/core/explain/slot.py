"""Explain a record of the history: what was due, what happened, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from slack_alert.core.errors import BadValue
from slack_alert.core.explain.delivery import explain_deliveries
from slack_alert.core.explain.facts import JobFacts, RecordWithMessages, quoted
from slack_alert.core.model.reason import ReasonCode, has
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.units.humanize import format_run_time
from slack_alert.core.units.quantities import format_duration

#: A run that began later than this after its slot is late.
_PROMPT = timedelta(seconds=1)


def explain_slot(subject: JobFacts, told: RecordWithMessages, slot: datetime) -> list[str]:
    """Return sentences on all that is known of a slot, which may be one of several of a record."""
    record = told.record
    said = [_due(subject, record, slot), _outcome(subject, record)]
    if record.count > 1:
        span = f"from {subject.clock(record.slot)} to {subject.clock(told.end)}"
        said.append(f"History has it as one line with {record.count:,} slots, {span}, which all went this way.")
    if quota := _quota(subject, record):
        said.append(quota)
    if record.printed:
        said.append("What it printed is in `slack-alert history --json`.")
    return [*said, *explain_deliveries(subject, told.posted)]


def summarize_slot(subject: JobFacts, told: RecordWithMessages) -> str:
    """Return a record as one sentence, such as `14:05: said “lag 9 s”; sent.`."""
    record = told.record
    parts = [str(record.verdict).replace("_", " ")]
    if record.text:
        parts[0] += f" {quoted(record.text)}"
    if record.reasons:
        parts.append(_why(subject, record))
    when = subject.clock(record.slot)
    if record.count > 1:
        when += f" to {subject.clock(told.end)} ({record.count:,} slots)"
    parts += dict.fromkeys(str(one.delivery.status) for one in told.posted)
    return f"{when}: {'; '.join(parts)}."


def _due(subject: JobFacts, record: Record, slot: datetime) -> str:
    if record.asked_by:
        return f"{record.asked_by} asked for {subject.name} at {subject.clock(record.slot)}."
    if subject.is_external:
        return f"{subject.name} was run from outside (`slack-alert exec`) at {subject.clock(slot)}."
    how = subject.job.shown if subject.job is not None else ""
    due = f"{subject.name} was due at {subject.clock(slot)}{f' ({how})' if how else ''}."
    if record.started is not None and record.started - record.slot >= _PROMPT:
        due = f"{due[:-1]}, and began {format_run_time(record.started - record.slot)} later."
    return due


def _outcome(subject: JobFacts, record: Record) -> str:
    """Return what happened, and by which rule."""
    if (special := _SPECIAL.get(record.verdict)) is not None:
        return special(subject, record)
    form = _muted_form(record) if record.verdict is Verdict.MUTED else _FORMS[record.verdict]
    why, took = _why(subject, record), record.duration
    return form.format(
        ran=f"It ran for {format_run_time(took)}" if took is not None else "It ran",
        after=f" after {format_run_time(took)}" if took is not None else "",
        text=quoted(record.text),
        to=f" to {record.to.replace('console:', 'the terminal')}" if record.to else "",
        error=_error(record),
        why=why or _UNKNOWN.get(record.verdict, ""),
        because=f": {why}" if why else "",
        note=_note(why),
    )


def _why(subject: JobFacts, record: Record) -> str:
    return subject.why(record.slot, *record.reasons)


def _note(why: str) -> str:
    return f" Noted with it: {why}." if why else ""


def _muted_form(record: Record) -> str:
    if record.outcome is not None and record.outcome.failed is Verdict.TIMED_OUT:
        return "Its run was given up{after}: {error}. Nobody was told: {why}."
    if record.error:
        return "{ran} and failed with {error}. Nobody was told: {why}."
    return "{ran} and wanted to say {text}, which was withheld: {why}."


def _was_off_hours(subject: JobFacts, record: Record) -> str:
    written = record.reasons[0].what if record.reasons else _hours(subject)
    until = _opening(subject, record, written)
    return f"It did not run: off hours{until}{f' (its working hours are {written})' if written else ''}."


def _hours(subject: JobFacts) -> str:
    return subject.job.policy.hours.text if subject.job is not None else ""


def _opening(subject: JobFacts, record: Record, written: str) -> str:
    zone = subject.job.zone if subject.job is not None else subject.zone
    try:
        opening = WorkingHours.parse(written, zone).next_open(record.until or record.slot)
    except BadValue:
        return ""
    return f" until {subject.clock(opening)}" if opening is not None and opening > record.slot else ""


def _was_paused(subject: JobFacts, record: Record) -> str:
    if record.reasons:
        what = "it was" if has(record.reasons, ReasonCode.PAUSED) else "it rested,"
        return f"It did not run: {what} {_why(subject, record)}."
    until = f"rested until {subject.clock(record.paused_until)}" if record.paused_until else "was paused"
    return f"It did not run: it {until}."


def _was_interrupted(subject: JobFacts, record: Record) -> str:
    if subject.is_external:
        return "Its `exec` was killed, or the machine went down: how it ended is not known."
    what = "had said" if record.to else "had wanted to say"
    spoken = f" By then it {what} {quoted(record.text)}.{_note(_why(subject, record))}" if record.text else ""
    return f"Its run was cut off: the program ended, or was killed, before it did.{spoken}"


def _error(record: Record) -> str:
    lines = [line for line in (record.error or "").splitlines() if line.strip()]
    if record.outcome is not None and record.outcome.attempt:
        lines = lines[:-1]
    return quoted(lines[-1] if lines else record.text)


def _quota(subject: JobFacts, record: Record) -> str:
    """Return how many alerts of the quota are used after this one."""
    if subject.job is None or record.verdict is not Verdict.SAID or record.asked_by or not record.alerts:
        return ""
    policy = subject.job.policy
    used = f"With it, {record.alerts} of {policy.max_alert} alerts within {format_duration(policy.pause_time)} are used"
    if record.paused_until is None:
        return f"{used}."
    what = "it runs on and says nothing" if policy.mutes else "it rests"
    return f"{used}: {what} until {subject.clock(record.paused_until)}."


_SPECIAL: dict[Verdict, Callable[[JobFacts, Record], str]] = {
    Verdict.OFF_HOURS: _was_off_hours,
    Verdict.PAUSED: _was_paused,
    Verdict.INTERRUPTED: _was_interrupted,
}
_FORMS = {
    Verdict.SAID: "{ran} and said {text}{to}.{note}",
    Verdict.QUIET: "{ran} and had nothing to say.{note}",
    Verdict.ERROR: "{ran} and failed with {error}, which was told{to}.{note}",
    Verdict.TIMED_OUT: "Its run was given up{after}: {error}.{note}",
    Verdict.MISSED: "It did not run: it was missed {why}.",
    Verdict.OVERLAPPED: "It did not run: {why}.",
    Verdict.CANCELED: "Its run was canceled.{note}",
    Verdict.DENIED: "It was not allowed to run{because}.",
}
#: Of records without reasons.
_UNKNOWN = {
    Verdict.MUTED: "somebody muted it, a quiet window held, or its quota was used up",
    Verdict.MISSED: "because nobody was there to run it",
    Verdict.OVERLAPPED: "its former run was going on",
}
