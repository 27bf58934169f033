"""What a run returned, read back from its line of history: the rules have left their marks there."""

from __future__ import annotations

import re

from slack_alert.core.content.render import Text
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Failure, Result
from slack_alert.core.policy.incidents import UNCHANGED

_FAILED = frozenset({Verdict.ERROR, Verdict.TIMED_OUT})
#: What the rules put below an alert, or below the first of several messages, each on a line of its own.
_ADDED = re.compile(
    r"\n(?:\d+ alerts?: (?:paused|muted) for [\d.]+ min, until [\d:]+"
    r"|\d+ alerts? (?:was|were) withheld since [\d:]+"
    r"|\d+ alerts since [\d:]+, last [\d:]+"
    r"|took [^\n]+, usually [^\n]+)(?=\n|$)"
)
#: What is told of the quota when a run had nothing to say.
_DIGEST = re.compile(r"\*?(?P<job>[^\n*]+)\*?: \d+ alerts? (?:was|were) withheld since [\d:]+")
_MUTED = ("muted until ", "all jobs muted until ")
#: A quota that is used up says how.
_HELD = ("paused until ", "paused by ")
_ACKNOWLEDGED = "acknowledged by "
_RECOVERED = "recovered after "


def outcome(record: Record) -> Result | None:
    """Return what a run said, or how it failed, as far as its line tells; None: it did not run to its end."""
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
    # Only what lists something can be told to be the same in a thread.
    return Result((Text(text, ((text, text),) if was_unchanged(record) else ()),))


def was_unchanged(record: Record) -> bool:
    """Return whether a run was withheld because all of it was said already."""
    return record.verdict is Verdict.MUTED and (record.reason or "").partition("; ")[0] == UNCHANGED


def was_held(record: Record) -> bool:
    """Return whether a person let the job rest."""
    return record.verdict is Verdict.PAUSED and (record.reason or "").startswith(_HELD)


def has_arrived(record: Record) -> bool:
    """Return whether what was missing came, which is no run: the gate has no say in it."""
    return record.run != 0 and record.started is None and outcome(record) == QUIET


def muted_by(record: Record) -> str:
    """Return the reason where a person wanted nothing said; empty: nobody did."""
    reason = record.reason or ""
    if reason.startswith(_RECOVERED):
        reason = reason.partition("; ")[2]
    elif record.verdict is not Verdict.MUTED:
        return ""
    return reason if reason.startswith(_MUTED) else ""


def acknowledged_by(record: Record) -> str:
    """Name who took care of the incident; empty: nobody did."""
    reason = record.reason or ""
    return reason.removeprefix(_ACKNOWLEDGED).partition("; ")[0] if reason.startswith(_ACKNOWLEDGED) else ""


def _had_nothing_to_say(record: Record) -> bool:
    """Tell the end of an incident, and what is told of the quota, from an alert."""
    if record.verdict is not Verdict.SAID:
        return False
    digest = _DIGEST.fullmatch(record.text)
    return (record.reason or "").startswith(_RECOVERED) or (digest is not None and digest["job"] == record.binding)


def _before_card(record: Record) -> str:
    """Return what a run said before it failed."""
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
