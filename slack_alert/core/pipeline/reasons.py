"""Reasons why a slot did not run or posted nothing, and the sentences that people read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from slack_alert.core.bindings import Job
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Run
from slack_alert.core.pipeline.outages import Outage, OutageCause
from slack_alert.core.policy.incidents import format_extent
from slack_alert.core.policy.quota import Pause, Quota, State, is_quota_used_up
from slack_alert.core.rules.throttling import Rate
from slack_alert.core.units.humanize import format_delay, format_time, humanize_duration, plural
from slack_alert.core.units.local_time import wall_of
from slack_alert.core.units.quantities import format_duration


def gate_reason(
    job: Job, state: State, slot: datetime, verdict: Verdict, *, pause: Pause | None = None, former: Run | None = None
) -> tuple[Reason, ...]:
    """Return why the gate did not let a slot run; `former` is the run that overlapped with it."""
    if verdict is Verdict.OFF_HOURS:
        return (Reason(ReasonCode.OFF_HOURS, what=job.policy.hours.text),)
    if verdict is Verdict.OVERLAPPED and former is not None:
        return (Reason(_former_code(former), since=former.slot, zone=str(job.zone)),)
    if verdict is not Verdict.PAUSED:
        return ()
    if is_quota_used_up(job.policy, state.alerts, slot):
        return quota_reason(job, state.alerts)
    return (pause_reason(pause, job.zone),) if pause is not None else ()


def quota_reason(job: Job, quota: Quota, *, code: ReasonCode = ReasonCode.QUOTA) -> tuple[Reason, ...]:
    """Return how a quota was used up."""
    return _used_up(code, quota, job.policy.max_alert, job.zone)


def throttle_reason(rate: Rate, answered: Sequence[datetime], at: datetime, zone: tzinfo) -> Reason:
    """Return how many events a rule has answered, and until when it answers no more."""
    counted, until = rate.since(answered, at), rate.until(answered, at)
    return Reason(
        ReasonCode.THROTTLED, since=counted[0], until=until, count=len(counted), limit=rate.count, length=rate.window,
        zone=str(zone),
    )  # fmt: skip


def pause_reason(pause: Pause, zone: tzinfo) -> Reason:
    """Return who paused a job, and until when."""
    return Reason(ReasonCode.PAUSED, until=pause.until, by=pause.by, zone=str(zone))


def record_reasons(record: Record, zone: tzinfo) -> str:
    """Return the reasons of a record as one text; `zone` is that of the configuration."""
    return reasons_text(record.reasons, zone, record.slot)


def reasons_text(reasons: tuple[Reason, ...], zone: tzinfo, slot: datetime) -> str:
    """Return the reasons at a slot as one text; `zone` is that of the configuration."""
    return "; ".join([reason_text(reason, zone, slot) for reason in reasons])


@lru_cache(maxsize=1024)  # Jobs that share a slot often share a reason.
def reason_text(reason: Reason, zone: tzinfo, slot: datetime) -> str:
    """Return the sentence of a reason, such as `3 of 3 alerts since 13:32, until 14:32`."""
    return reason.said or _SENTENCES[reason.code].format_map(_words(reason, _zone_of(reason, zone), slot))


def _former_code(former: Run) -> ReasonCode:
    if former.progress.is_stuck:
        return ReasonCode.STUCK
    return ReasonCode.UNWRITTEN if former.progress.has_returned else ReasonCode.OVERLAPPED


@lru_cache(maxsize=1024)  # A paused job has the same reason at each of its slots.
def _used_up(code: ReasonCode, quota: Quota, limit: int, zone: tzinfo) -> tuple[Reason, ...]:
    spent = quota.spent
    return (Reason(code, since=spent[0], until=quota.until, count=len(spent), limit=limit, zone=str(zone)),)


def _zone_of(reason: Reason, zone: tzinfo) -> tzinfo:
    if not reason.zone or reason.zone == str(zone):
        return zone
    try:
        return ZoneInfo(reason.zone)
    except (KeyError, ValueError, OSError):  # It has no name that is known here.
        return zone


def _words(reason: Reason, zone: tzinfo, slot: datetime) -> dict[str, object]:
    """Return what the sentences are made of."""
    since, until, length = reason.since or slot, reason.until or slot, reason.length or _NOTHING
    is_one_day = wall_of(since, zone).date() == wall_of(until, zone).date()
    late = f"{'up to ' if reason.count > 1 else ''}{format_delay(length)}"
    return {
        "what": reason.what,
        "by": reason.by,
        "by_whom": f" by {reason.by}" if reason.by else "",
        "count": reason.count,
        "limit": reason.limit,
        "alerts": plural(reason.limit, "alert"),
        "errors": plural(reason.limit, "error"),
        "events": plural(reason.limit, "event"),
        "since": format_time(since, zone, since),
        "until": format_time(until, zone, slot),
        "until_its_end": f" until {format_time(until, zone, slot)}" if reason.until else "",
        "first": format_time(since, zone, since if is_one_day else None),
        "last": format_time(until, zone, until if is_one_day else None),
        "since_day": format_time(since, zone),
        "until_day": format_time(until, zone) if reason.until else "resumed",
        "length": format_duration(length),
        "incident": format_extent(length, reason.count),
        "took": humanize_duration(length),
        "usual": humanize_duration(reason.usual or _NOTHING),
        "late": late,
        "by_late": f"by {late}, " if reason.length is not None else "",
        "because": _because(reason, until, zone) if reason.code in _OF_OUTAGES else "",
    }


def _because(reason: Reason, until: datetime, zone: tzinfo) -> str:
    cause = OutageCause[reason.what.upper()]
    return f"because {_CAUSES[cause]} {Outage(cause, reason.since, until).span(zone)}"


_NOTHING = timedelta()
_OF_OUTAGES = frozenset({ReasonCode.MISSED, ReasonCode.CAUGHT_UP})
_CAUSES = {
    OutageCause.DOWN: "the program was not running",
    OutageCause.STALLED: "the program stood still",
    OutageCause.ASLEEP: "the machine was asleep",
}
_SENTENCES = {
    ReasonCode.OFF_HOURS: "outside {what}",
    ReasonCode.QUOTA: "{count} of {limit} {alerts} since {first}, until {last}",
    ReasonCode.ERROR_QUOTA: "{count} of {limit} {errors} since {first}, until {last}",
    ReasonCode.THROTTLED: "throttled: {count} of {limit} {events} in {length}, until {last}",
    ReasonCode.PAUSED: "paused{by_whom} until {until_day}",
    ReasonCode.OVERLAPPED: "the run of {since} was going on",
    ReasonCode.UNWRITTEN: "the run of {since} was waiting to be written down",
    ReasonCode.STUCK: "the run of {since} was given up, and its function had not returned",
    ReasonCode.MISSED: "{by_late}{because}",
    ReasonCode.CAUGHT_UP: "caught up {late} late, {because}",
    ReasonCode.LOST: "a kill came before it was written what became of it",
    ReasonCode.MUTED: "muted until {until} by {by}",
    ReasonCode.ALL_MUTED: "all jobs muted until {until} by {by}",
    ReasonCode.QUIET_WINDOW: "quiet window {what},{until_its_end}",
    ReasonCode.UNCHANGED: "said already, unchanged",
    ReasonCode.EARLY: "alert {count} in a row, told from {limit} on",
    ReasonCode.ACKNOWLEDGED: "acknowledged by {by}",
    ReasonCode.REMINDER: "reminder after {length}",
    ReasonCode.ESCALATED: "escalated to {what}",
    ReasonCode.RECOVERED: "recovered after {incident}",
    ReasonCode.RETRIED: "attempt {count} of {limit}",
    ReasonCode.SLOW: "took {took}, usually {usual}",
    ReasonCode.ABSENT: "no {what} since {since_day}",
    ReasonCode.CAME: "{what} came",
    ReasonCode.RESTARTED: "started again after {took}",
    ReasonCode.GIVEN_UP: "given up at the failure {count} within a minute",
    ReasonCode.ENDED: "ended: {what}",
    ReasonCode.OTHER: "{what}",
}
