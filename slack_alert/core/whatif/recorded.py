"""Reconstruct the result of a run from its record, without the texts that the policies added."""

from __future__ import annotations

from slack_alert.core.content.render import Text
from slack_alert.core.model.reason import Reason, ReasonCode, has
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.model.run import QUIET, Failure, Result

_FAILED = frozenset({Verdict.ERROR, Verdict.TIMED_OUT})
_BY_PEOPLE = frozenset({ReasonCode.MUTED, ReasonCode.ALL_MUTED})


def recorded_result(record: Record) -> Result | None:
    """Return the result of a recorded run, as far as the record shows it; None: it did not run to its end."""
    if record.verdict is Verdict.QUIET:
        return QUIET
    outcome = record.outcome or Outcome(record.text)
    if outcome.failed in _FAILED:
        failure = Failure(outcome.kind or "Error", outcome.message, "", record.error or "", outcome.failed)
        return Result((Text(outcome.said),) if outcome.said else (), failure)
    if record.verdict not in (Verdict.SAID, Verdict.MUTED):
        return None
    if record.outcome is not None and not outcome.said:  # It posted a recovery, or what the quota withheld.
        return QUIET
    said = outcome.said
    # Only a text with entries can be recognised as unchanged in a thread.
    return Result((Text(said, ((said, said),) if was_unchanged(record) else ()),))


def was_unchanged(record: Record) -> bool:
    """Return whether a run's messages were withheld because all of it was posted already."""
    return record.verdict is Verdict.MUTED and has(record.reasons, ReasonCode.UNCHANGED)


def was_held(record: Record) -> bool:
    """Return whether the job was paused by a person."""
    return record.verdict is Verdict.PAUSED and has(record.reasons, ReasonCode.PAUSED)


def has_arrived(record: Record) -> bool:
    """Return whether the record is of an absent event that came; this is no run, and the gate does not apply."""
    return record.run != 0 and record.started is None and recorded_result(record) == QUIET


def muted_by(record: Record) -> Reason | None:
    """Return the mute by a person, or None if there was none."""
    if record.verdict is not Verdict.MUTED and not has(record.reasons, ReasonCode.RECOVERED):
        return None
    return next((reason for reason in record.reasons if reason.code in _BY_PEOPLE), None)


def acknowledged_by(record: Record) -> str:
    """Return who acknowledged the incident; empty: nobody did."""
    return next((reason.by for reason in record.reasons if reason.code is ReasonCode.ACKNOWLEDGED), "")
