"""Reasons: the rule behind a verdict and its numbers, as data; `core/pipeline/reasons.py` has their sentences."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from slack_alert.core.structs import Struct


class ReasonCode(str, Enum):
    """The rule, or what is remarkable about a run."""

    #: `what`: the working hours.
    OFF_HOURS = "off_hours"
    #: `count` of `limit` alerts, or errors, since the first one that counts.
    QUOTA = "quota"
    ERROR_QUOTA = "error_quota"
    #: `count` events answered in `length`, of `limit`, since the first one that counts.
    THROTTLED = "throttled"
    #: By a person or a job; without `until` it lasts until somebody ends it.
    PAUSED = "paused"
    #: `since`: the slot of the former run, which was going on, was not written down, or was given up and hangs.
    OVERLAPPED = "overlapped"
    UNWRITTEN = "unwritten"
    STUCK = "stuck"
    #: `what`: the cause of an outage; `count` slots that are up to `length` late, or a run that is.
    MISSED = "missed"
    CAUGHT_UP = "caught_up"
    #: A kill came before it was written what became of a slot.
    LOST = "lost"

    MUTED = "muted"
    ALL_MUTED = "all_muted"
    #: `what`: the window.
    QUIET_WINDOW = "quiet_window"
    UNCHANGED = "unchanged"
    #: The alert `count` in a row, of which only those from `limit` on are posted.
    EARLY = "early"
    ACKNOWLEDGED = "acknowledged"
    REMINDER = "reminder"
    #: `what`: the address.
    ESCALATED = "escalated"
    #: From an incident of this `length` with `count` alerts.
    RECOVERED = "recovered"

    #: At the attempt `count` of `limit`.
    RETRIED = "retried"
    #: `length`, where it is usually `usual`.
    SLOW = "slow"
    #: `what`: the events that a job awaits, or the event that came.
    ABSENT = "absent"
    CAME = "came"
    #: A sensor that runs for ever failed: it is started again after `length`, or given up at the failure `count`.
    RESTARTED = "restarted"
    GIVEN_UP = "given_up"
    #: It was ended; `what`: why.
    ENDED = "ended"
    #: `what`: a sentence of a former version.
    OTHER = "other"

    # Enum's own is a function in Python.
    __hash__ = str.__hash__


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why a slot did not run, or why a run posted nothing or something else; which fields are set depends on `code`.

    Consecutive slots have equal reasons, so that they can be stored as one record.
    """

    code: ReasonCode
    since: datetime | None = None
    until: datetime | None = None
    by: str = ""
    count: int = 0
    limit: int = 0
    what: str = ""
    length: timedelta | None = None
    usual: timedelta | None = None
    #: The name of the time zone in which its times are shown; empty: that of the configuration.
    zone: str = ""
    #: The sentence, if a former version has written it, which kept nothing else.
    said: str = ""


#: No code is hotter than those without fields.
UNCHANGED = Reason(ReasonCode.UNCHANGED)


def has(reasons: tuple[Reason, ...], *codes: ReasonCode) -> bool:
    """Return whether a reason with one of these codes is among them."""
    return any(reason.code in codes for reason in reasons)
