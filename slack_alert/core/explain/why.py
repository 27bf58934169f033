"""Explain why a job did or did not run and post: at a past slot, now, and at a future one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from slack_alert.core.bindings import Job
from slack_alert.core.content.notices import on_terminal
from slack_alert.core.explain.facts import JobFacts, RecordWithMessages, quoted
from slack_alert.core.explain.job_status import outlook
from slack_alert.core.explain.slot import explain_slot, summarize_slot
from slack_alert.core.model.reason import ReasonCode
from slack_alert.core.model.record import Verdict
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.reasons import gate_reason, pause_reason, quota_reason
from slack_alert.core.policy.incidents import Incident, format_extent, length_of
from slack_alert.core.policy.quota import is_quota_used_up
from slack_alert.core.sensors import SensorPhase
from slack_alert.core.units.humanize import plural
from slack_alert.core.units.local_time import TICK
from slack_alert.core.units.quantities import format_duration

_UNSEEN = "It was never seen by a running slack-alert: its times begin with the first start."
_SPANS = tuple(timedelta(minutes=minutes) for minutes in (1, 60, 1_440, 46_080, 576_000, 5_256_000))


#: What prevents a sensor that runs for ever from running.
_PHASES: Mapping[SensorPhase | None, str] = {
    SensorPhase.RESTARTING: "{name} failed, and is started again soon.",
    SensorPhase.EXITED: "{name} does not run: its generator has returned. `slack-alert resume {name}` starts it again.",
    SensorPhase.GIVEN_UP: "{name} does not run: it was given up at the third failure within a minute. "
    "`slack-alert resume {name}` starts it again.",
}


class Explanation(NamedTuple):
    """The sentences of an answer, and the slot it is about (None: now)."""

    sentences: tuple[str, ...]
    slot: datetime | None = None
    told: RecordWithMessages | None = None


def why_now(subject: JobFacts, latest: Sequence[RecordWithMessages]) -> Explanation:
    """Explain the present status of a job, what prevents it from running or posting, and its last slots.

    `latest` are its last records, oldest first.
    """
    job = subject.job
    if subject.is_external:
        lately = "Its last runs, the newest first:" if latest else "No run of it is recorded."
        return Explanation(
            (_external_note(subject), lately, *(summarize_slot(subject, told) for told in reversed(latest)))
        )
    said = [] if subject.is_running else ["slack-alert is not running: this is as if it were started now."]
    if job is None:
        said.append(f"No plugin has {subject.name} any more, so it does not run.")
    else:
        said += [
            *_standing(subject, job),
            *_current_run(subject, latest),
            *_stored_state(subject, job),
            _next(subject, job),
        ]
    said.append("Its last slots, the newest first:" if latest else "No slot of it is recorded.")
    return Explanation((*said, *(summarize_slot(subject, told) for told in reversed(latest))))


def why_then(
    subject: JobFacts, told: RecordWithMessages, following: RecordWithMessages | None, *, slot: datetime | None = None
) -> Explanation:
    """Explain a recorded slot, and name the one that followed; `slot` selects one of a record of several."""
    due = slot if slot is not None and told.record.count > 1 else told.record.slot
    said = explain_slot(subject, told, due)
    if following is not None:
        said.append(f"After that, {summarize_slot(subject, following)}")
    elif subject.job is not None:
        said.append(_next(subject, subject.job))
    return Explanation(tuple(said), due, told)


def why_unrecorded(
    subject: JobFacts,
    at: datetime,
    slot: datetime | None,
    *,
    before: RecordWithMessages | None = None,
    following: RecordWithMessages | None = None,
) -> Explanation:
    """Explain why there is no record of the slot at or before `at`; `slot` None: there was no slot."""
    missing, why = _no_record(subject, at, slot)
    beside = [f"Before that, {summarize_slot(subject, before)}"] if before else []
    beside += [f"After that, {summarize_slot(subject, following)}"] if following else []
    # In chronological order: the event that an absence waits for may have come since.
    is_later = following is not None and subject.first_seen is not None and subject.first_seen > following.record.slot
    said = [missing, *beside, why] if is_later else [missing, why, *beside]
    if following is None and subject.job is not None:
        said.append(_next(subject, subject.job))
    return Explanation(tuple(said), slot)


def why_ahead(subject: JobFacts, at: datetime) -> Explanation:
    """Explain what will happen at the slot at or before a future time, or at the first one after it."""
    job = subject.job
    if job is None:
        gone = f"No plugin has {subject.name} any more: it will not run."
        return Explanation((_external_note(subject) if subject.is_external else gone,))
    anchor = subject.first_seen or subject.now
    after = max(subject.now, subject.last or subject.now)
    slot = job.trigger.passed(after, at, anchor).last or job.trigger.next_after(max(at, after), anchor)
    if slot is None:
        return Explanation((_never_due(subject, job),))
    said = [f"{subject.name} is due at {subject.clock(slot)} ({job.shown})."]
    said.append(_forecast(subject, job, slot))
    # The slots of such a trigger depend on the time at which the job is first seen.
    if subject.first_seen is None and job.trigger.next_after(slot - TICK, anchor - TICK) != slot:
        said.append(f"{_UNSEEN} This is as if that were now.")
    if gate(job, subject.state, slot, pause=subject.pause) is not Verdict.GO:
        said.append(_next(subject, job))
    return Explanation(tuple(said), slot)


def slot_before(job: Job, at: datetime, *, anchor: datetime) -> datetime | None:
    """Return the last slot up to a time by the job's present trigger, or None if there is none within ten years."""
    for span in _SPANS:
        # The longer spans are only searched if the slots are few.
        if (last := job.trigger.passed(at - span, at, anchor).last) is not None:
            return last
    return None


def _external_note(subject: JobFacts) -> str:
    return f"{subject.name} is run from outside (`slack-alert exec`): when it runs next is not known here."


def _standing(subject: JobFacts, job: Job) -> Iterator[str]:
    """Yield everything that prevents the job from running or posting now."""
    now, name = subject.now, subject.name
    found = 0
    if subject.pause is not None and not subject.pause.is_over(now):
        found += 1
        resume = f"`slack-alert resume {name}` lets it run"
        yield f"{name} does not run: it is {subject.why(now, pause_reason(subject.pause, subject.zone))}; {resume}."
    if is_quota_used_up(job.policy, subject.state.alerts, now):
        found += 1
        what = "runs and says nothing" if job.policy.mutes else "does not run: it rests"
        yield f"{name} {what}, {subject.why(now, *quota_reason(job, subject.state.alerts))}."
    if not job.policy.hours.contains(now):
        found += 1
        yield f"{name} does not run: off hours{_opening(subject, job, now)}."
    if reason := subject.mute(now):
        found += 1
        yield f"{name} says nothing: {subject.why(now, reason)}."
    if is_quota_used_up(job.policy, subject.state.errors, now):
        reasons = quota_reason(job, subject.state.errors, code=ReasonCode.ERROR_QUOTA)
        yield f"Errors of {name} are not told: {subject.why(now, *reasons)}."
    if not found:
        yield _PHASES.get(subject.phase, "{name} is active.").format(name=name)


def _current_run(subject: JobFacts, latest: Sequence[RecordWithMessages]) -> Iterator[str]:
    """Yield a sentence on the current run; a run with a record is over, whatever `subject.going` says."""
    if subject.going is None:
        return
    slot, began = subject.going
    over = [told.record for told in latest if told.record.run and not told.record.asked_by]
    if all(record.slot < slot for record in over):
        yield f"Its run of {subject.clock(slot)} goes on, since {subject.clock(began)}."


def _stored_state(subject: JobFacts, job: Job) -> Iterator[str]:
    """Yield sentences on the stored state: the quota, the incident, the withheld alerts."""
    state, policy = subject.state, job.policy
    spent = state.alerts.count(subject.now, policy.pause_time)
    if spent and not is_quota_used_up(policy, state.alerts, subject.now):
        yield f"{spent} of {policy.max_alert} alerts within {format_duration(policy.pause_time)} are used."
    if state.incident is not None:
        yield _incident(subject, job, state.incident)
    if state.withheld and state.withheld_since is not None:
        alerts = f"{state.withheld} {plural(state.withheld, 'alert')} {plural(state.withheld, 'was', 'were')}"
        yield f"{alerts} withheld since {subject.clock(state.withheld_since)}."


def _incident(subject: JobFacts, job: Job, incident: Incident) -> str:
    if incident.over is not None:
        over = f"is over since {subject.clock(incident.over)} ({_extent(incident, incident.over)})"
        return f"Its incident {over}, which is told with its next run that may speak."
    said = f"An incident goes on since {subject.clock(incident.since)} ({_extent(incident, incident.last)})"
    if incident.told is None:
        after = job.policy.repeat_policy.after
        return f"{said}, not told yet{f': from alert {after} in a row on' if incident.count < after else ''}."
    said += f", said at {subject.clock(incident.told)}"
    if incident.text:
        said += f"; it last said {quoted(on_terminal(incident.text, job.name))}"
    if incident.acknowledged_by:
        when = f" at {subject.clock(incident.acknowledged_at)}" if incident.acknowledged_at else ""
        said += f"; acknowledged by {incident.acknowledged_by}{when}"
    return f"{said}."


def _extent(incident: Incident, end: datetime) -> str:
    return format_extent(length_of(incident, end), incident.count)


def _next(subject: JobFacts, job: Job) -> str:
    seen = outlook(
        job,
        subject.state,
        pause=subject.pause,
        first_seen=subject.first_seen,
        last=subject.last,
        now=subject.now,
        muted_until=None,  # A muted job runs.
    )
    if seen.next_run is not None:
        return f"It runs next at {subject.clock(seen.next_run)} ({job.shown})."
    held = subject.pause is not None and subject.pause.until is None
    return "It does not run before it is resumed." if held else _never_due(subject, job)


def _never_due(subject: JobFacts, job: Job) -> str:
    if job.rule is not None:
        return f"{subject.name} runs {job.rule.describe()}, at no time of its own."
    if job.is_endless:
        return f"{subject.name} runs for ever, in a process of its own: `slack-alert sensors` tells what that is at."
    return f"{subject.name} is never due again, as things stand ({job.shown})."


def _forecast(subject: JobFacts, job: Job, slot: datetime) -> str:
    """Return whether the slot will run, and whether it may post, if nothing happens meanwhile."""
    verdict = gate(job, subject.state, slot, pause=subject.pause)
    if verdict is Verdict.OFF_HOURS:
        return f"It will not run: off hours{_opening(subject, job, slot)}."
    if verdict is not Verdict.GO:
        reasons = gate_reason(job, subject.state, slot, verdict, pause=subject.pause)
        return f"It will not run: {subject.why(slot, *reasons)}."
    if reason := subject.mute(slot):
        return f"It will run, and say nothing: {subject.why(slot, reason)}."
    if is_quota_used_up(job.policy, subject.state.alerts, slot):
        return f"It will run, and post nothing: {subject.why(slot, *quota_reason(job, subject.state.alerts))}."
    return f"As things stand it will run{_hours_note(job)}{_quota_note(subject, job, slot)}."


def _hours_note(job: Job) -> str:
    return "" if job.policy.hours.is_always else f", within its working hours {job.policy.hours.text}"


def _quota_note(subject: JobFacts, job: Job, slot: datetime) -> str:
    if job.policy.max_alert == 0:
        return ", and may speak without a limit"
    used = subject.state.alerts.count(slot, job.policy.pause_time)
    return f", and may speak: {used} of {job.policy.max_alert} alerts are used by then"


def _opening(subject: JobFacts, job: Job, at: datetime) -> str:
    opening = job.policy.hours.next_open(at)
    until = f" until {subject.clock(opening)}" if opening is not None else ""
    return f"{until} (its working hours are {job.policy.hours.text})"


def _no_record(subject: JobFacts, at: datetime, slot: datetime | None) -> tuple[str, str]:
    """Return sentences on which record is missing, and why."""
    if slot is None:
        return f"No slot of {subject.name} is known at {subject.clock(at)} or before it.", _first_slot_reason(subject)
    if subject.first_seen is None:
        return f"{subject.name} has a slot at {subject.clock(slot)}, and nothing will be recorded of it.", _UNSEEN
    return f"{subject.name} was due at {subject.clock(slot)}, and there is no record of it.", _reason_unrecorded(
        subject, slot
    )


def _first_slot_reason(subject: JobFacts) -> str:
    if subject.is_external:
        return _external_note(subject)
    if subject.first_seen is None:
        return _UNSEEN
    return f"{_beginning(subject)} at {subject.clock(subject.first_seen)}."


def _beginning(subject: JobFacts) -> str:
    """Return what its times are counted from; for an absence each event moves them on."""
    is_moved = subject.job is not None and subject.job.is_absence
    return "What it waits for came last, or it was first seen," if is_moved else "It was first seen"


def _reason_unrecorded(subject: JobFacts, slot: datetime) -> str:
    """Return why a slot left no record."""
    assert subject.first_seen is not None, "what was never seen has lost nothing"
    if slot < subject.first_seen:
        return f"{_beginning(subject)} at {subject.clock(subject.first_seen)}, after that."
    going = subject.going
    if going is not None and going[0] == slot:
        return f"Its run goes on, since {subject.clock(going[1])}."
    if (going is not None and going[0] > slot) or (subject.last is not None and subject.last >= slot):
        return "Its time is over, and it was folded with others or is no longer kept; or the job had other times then."
    if going is not None:
        return f"The run of {subject.clock(going[0])} goes on, since {subject.clock(going[1])}, or ended just now."
    if subject.is_running:
        return "Its run waits for its turn, goes on, or ended just now."
    return f"slack-alert is not running: at its start {_at_start(subject, slot)}."


def _at_start(subject: JobFacts, slot: datetime) -> str:
    job = subject.job
    assert job is not None, "it has slots"
    verdict = gate(job, subject.state, slot, pause=subject.pause)
    if verdict is not Verdict.GO:
        return f"it is recorded as {verdict}"
    if not job.trigger.by_wall_clock:
        return "the last slot of the interval runs, and the others are recorded as missed"
    if job.catch_up > subject.now - slot:
        return f"it still runs, before {subject.clock(slot + job.catch_up)} (catch_up)"
    return "it is recorded as missed"
