"""Explain a record of the history: what was due, what happened, and by which rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from slack_alert.core.errors import BadValue
from slack_alert.core.explain.delivery import explain_deliveries
from slack_alert.core.explain.facts import JobFacts, RecordWithMessages, quoted
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.units.humanize import format_run_time
from slack_alert.core.units.quantities import format_duration

#: A run that began later than this after its slot is late.
_PROMPT = timedelta(seconds=1)
_OUTSIDE = "outside "
#: The error of a run that exceeded its timeout, unlike a TimeoutError that the function raised itself.
_TIMEOUT = lazy_pattern(r"“TimeoutError: took longer than \w+ \(timeout\)”")


def explain_slot(subject: JobFacts, told: RecordWithMessages, slot: datetime) -> list[str]:
    """Return sentences on all that is known of a slot, which may be one of several of a record."""
    record = told.record
    said = [_due(subject, record, slot), _OUTCOMES[record.verdict](subject, record)]
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
    if record.reason:
        parts.append(record.reason)
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


def _ran(record: Record) -> str:
    return f"It ran for {format_run_time(record.duration)}" if record.duration is not None else "It ran"


def _reason_note(record: Record) -> str:
    return f" Noted with it: {record.reason}." if record.reason else ""


def _said(_: JobFacts, record: Record) -> str:
    to = _target_text(record)
    return f"{_ran(record)} and said {quoted(record.text)}{to}.{_reason_note(record)}"


def _was_quiet(_: JobFacts, record: Record) -> str:
    return f"{_ran(record)} and had nothing to say.{_reason_note(record)}"


def _failed(_: JobFacts, record: Record) -> str:
    to = _target_text(record)
    return f"{_ran(record)} and failed with {_error(record)}, which was told{to}.{_reason_note(record)}"


def _timed_out(_: JobFacts, record: Record) -> str:
    return f"{_given_up(record)}.{_reason_note(record)}"


def _given_up(record: Record) -> str:
    after = f" after {format_run_time(record.duration)}" if record.duration is not None else ""
    return f"Its run was given up{after}: {_error(record)}"


def _was_muted(_: JobFacts, record: Record) -> str:
    why = record.reason or "somebody muted it, a quiet window held, or its quota was used up"
    if _TIMEOUT.fullmatch(_error(record)):
        return f"{_given_up(record)}. Nobody was told: {why}."
    if record.error:
        return f"{_ran(record)} and failed with {_error(record)}. Nobody was told: {why}."
    return f"{_ran(record)} and wanted to say {quoted(record.text)}, which was withheld: {why}."


def _was_off_hours(subject: JobFacts, record: Record) -> str:
    said = record.reason or ""
    written = said.removeprefix(_OUTSIDE) if said.startswith(_OUTSIDE) else _hours(subject)
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
    if record.reason:
        what = "it was " if record.reason.startswith("paused") else "it rested, "
        return f"It did not run: {what}{record.reason}."
    until = f"rested until {subject.clock(record.paused_until)}" if record.paused_until else "was paused"
    return f"It did not run: it {until}."


def _was_missed(_: JobFacts, record: Record) -> str:
    return f"It did not run: it was missed {record.reason or 'because nobody was there to run it'}."


def _was_overlapped(_: JobFacts, record: Record) -> str:
    return f"It did not run: {record.reason or 'its former run was going on'}."


def _was_interrupted(subject: JobFacts, record: Record) -> str:
    if subject.is_external:
        return "Its `exec` was killed, or the machine went down: how it ended is not known."
    what = "had said" if record.to else "had wanted to say"
    spoken = f" By then it {what} {quoted(record.text)}.{_reason_note(record)}" if record.text else ""
    return f"Its run was cut off: the program ended, or was killed, before it did.{spoken}"


def _was_canceled(_: JobFacts, record: Record) -> str:
    return f"Its run was canceled.{_reason_note(record)}"


def _was_denied(_: JobFacts, record: Record) -> str:
    return f"It was not allowed to run{f': {record.reason}' if record.reason else ''}."


def _target_text(record: Record) -> str:
    return f" to {record.to.replace('console:', 'the terminal')}" if record.to else ""


def _error(record: Record) -> str:
    lines = [line for line in (record.error or "").splitlines() if line.strip() and not line.startswith("(attempt ")]
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


_OUTCOMES: dict[Verdict, Callable[[JobFacts, Record], str]] = {
    Verdict.SAID: _said,
    Verdict.QUIET: _was_quiet,
    Verdict.ERROR: _failed,
    Verdict.TIMED_OUT: _timed_out,
    Verdict.MUTED: _was_muted,
    Verdict.OFF_HOURS: _was_off_hours,
    Verdict.PAUSED: _was_paused,
    Verdict.MISSED: _was_missed,
    Verdict.OVERLAPPED: _was_overlapped,
    Verdict.INTERRUPTED: _was_interrupted,
    Verdict.CANCELED: _was_canceled,
    Verdict.DENIED: _was_denied,
}
