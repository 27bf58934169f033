"""Reconstruct the result of a run from its record, without the texts that the policies added."""

from __future__ import annotations

import re

from slack_alert.core.content.render import Text
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Failure, Result
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.policy.incidents import UNCHANGED

_FAILED = frozenset({Verdict.ERROR, Verdict.TIMED_OUT})
#: Notices of the policies below an alert, or below the first of several messages, each on a line of its own.
_ADDED = lazy_pattern(
    r"\n(?:\d+ alerts?: (?:paused|muted) for [\d.]+ min, until [\d:]+"
    r"|\d+ alerts? (?:was|were) withheld since [\d:]+"
    r"|\d+ alerts since [\d:]+, last [\d:]+"
    r"|took [^\n]+, usually [^\n]+)(?=\n|$)"
)
#: The notice about withheld alerts that a quiet run posts.
_DIGEST = lazy_pattern(r"\*?(?P<job>[^\n*]+)\*?: \d+ alerts? (?:was|were) withheld since [\d:]+")
_MUTED = ("muted until ", "all jobs muted until ")
#: Reasons of pauses by people; the reason of a used up quota is different.
_HELD = ("paused until ", "paused by ")
_ACKNOWLEDGED = "acknowledged by "
_RECOVERED = "recovered after "


def recorded_result(record: Record) -> Result | None:
    """Return the result of a recorded run, as far as the record shows it; None: it did not run to its end."""
    if record.verdict is Verdict.QUIET:
        return QUIET
    if record.verdict in _FAILED or (record.verdict is Verdict.MUTED and record.error is not None):
        said = _without_notices(_before_card(record))
        return Result((Text(said),) if said else (), _failure(record))
    if record.verdict not in (Verdict.SAID, Verdict.MUTED):
        return None
    if _had_nothing_to_say(record):
        return QUIET
    text = _without_notices(record.text)
    # Only a text with entries can be recognised as unchanged in a thread.
    return Result((Text(text, ((text, text),) if was_unchanged(record) else ()),))


def was_unchanged(record: Record) -> bool:
    """Return whether a run's messages were withheld because all of it was posted already."""
    return record.verdict is Verdict.MUTED and (record.reason or "").partition("; ")[0] == UNCHANGED


def was_held(record: Record) -> bool:
    """Return whether the job was paused by a person."""
    return record.verdict is Verdict.PAUSED and (record.reason or "").startswith(_HELD)


def has_arrived(record: Record) -> bool:
    """Return whether the record is of an absent event that came; this is no run, and the gate does not apply."""
    return record.run != 0 and record.started is None and recorded_result(record) == QUIET


def muted_by(record: Record) -> str:
    """Return the reason of a mute by a person; empty: there was none."""
    reason = record.reason or ""
    if reason.startswith(_RECOVERED):
        reason = reason.partition("; ")[2]
    elif record.verdict is not Verdict.MUTED:
        return ""
    return reason if reason.startswith(_MUTED) else ""


def acknowledged_by(record: Record) -> str:
    """Return who acknowledged the incident; empty: nobody did."""
    reason = record.reason or ""
    return reason.removeprefix(_ACKNOWLEDGED).partition("; ")[0] if reason.startswith(_ACKNOWLEDGED) else ""


def _had_nothing_to_say(record: Record) -> bool:
    """Return whether a posted text is a recovery or a notice of the quota, and no alert."""
    if record.verdict is not Verdict.SAID:
        return False
    digest = _DIGEST.fullmatch(record.text)
    return (record.reason or "").startswith(_RECOVERED) or (digest is not None and digest["job"] == record.binding)


def _before_card(record: Record) -> str:
    """Return the text that a run posted before it failed."""
    found = re.search(rf"^✗ {re.escape(record.binding)} failed", record.text, re.MULTILINE)
    return record.text[: found.start()].rstrip("\n") if found else ""


def _without_notices(text: str) -> str:
    while (shorter := _ADDED.sub("", text)) != text:
        text = shorter
    return text


def _failure(record: Record) -> Failure:
    traceback = record.error or ""
    kind, _, message = traceback.strip().rpartition("\n")[2].partition(": ")
    verdict = record.verdict if record.verdict in _FAILED else Verdict.ERROR
    return Failure(kind or "Error", message, "", traceback, verdict)
