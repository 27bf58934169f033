"""Mute and unmute jobs; None in place of a name means every job, those to come as well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from slack_alert.core.model.request import MuteJob
from slack_alert.core.policy.mutes import EVERY
from slack_alert.core.units.humanize import format_time, join_names
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.requester import JobChange, Requester


def mute(said: str | None, lookup: JobLookup, requester: Requester, *, until: datetime) -> JobChange:
    """Let the jobs that match run and say nothing until an instant."""
    names = [EVERY] if said is None else [job.name for job in lookup.jobs(said)]
    return JobChange(names, names, _submit(names, until, requester))


def unmute(said: str | None, lookup: JobLookup, requester: Requester, *, mutes: Mutes) -> JobChange:
    """Let the jobs that match speak again; without a name all mutes end, of all jobs and of single ones."""
    muted = [mute.job for mute in mutes.muted(requester.at)]
    names = list(dict.fromkeys([EVERY, *muted])) if said is None else [job.name for job in lookup.jobs(said)]
    return JobChange(names, [name for name in names if name in muted], _submit(names, None, requester))


def muted_text(change: JobChange, *, until: datetime, zone: tzinfo, now: datetime) -> str:
    """Return what was done."""
    who = "All jobs are" if change.names == [EVERY] else join_names(change.names, "is", "are")
    return f"{who} muted until {format_time(until, zone, now, seconds='today')}."


def unmuted_text(change: JobChange) -> str:
    """Return what was done."""
    if EVERY in change.names:
        return "All jobs speak again." if change.changed else "No job was muted."
    if change.changed:
        return f"{join_names(change.changed, 'speaks', 'speak')} again."
    return f"{join_names(change.names, 'was', 'were')} not muted."


def still_silent(mutes: Mutes, unmute_all: str, *, is_all: bool, now: datetime) -> Iterator[str]:
    """Yield what keeps jobs silent all the same; `unmute_all` is what one writes to end the mute of all jobs."""
    for mute in [each for each in mutes.muted(now) if each.silences_all and not is_all]:
        end = format_time(mute.until, mutes.zone, now, seconds="today")
        yield f"All jobs are muted until {end} by {mute.by}: `{unmute_all}` ends that."
    for window in mutes.windows:
        if window.contains(now) and (until := window.next_change(now)):
            end = format_time(until, mutes.zone, now, seconds="today")
            yield f"The quiet window {window.name} goes on until {end}."


def _submit(names: list[str], until: datetime | None, requester: Requester) -> bool:
    return requester.ask(*[MuteJob(name, until, requester.by) for name in names])
