"""Mute and unmute jobs; None in place of a name means every job, those to come as well."""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.model.request import MuteJob
from slack_alert.core.policy.mutes import EVERY
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


def _submit(names: list[str], until: datetime | None, requester: Requester) -> bool:
    return requester.ask(*[MuteJob(name, until, requester.by) for name in names])
