"""What to do after an attempt to deliver: wait, try again, look first, or give up."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from slack_alert.core.structs import Struct


class SendStatus(str, Enum):
    """What a channel made of a message."""

    SENT = "sent"
    #: Asked to wait; surely not sent, no attempt counted.
    WAIT = "wait"
    #: Surely not sent; another attempt may succeed.
    RETRY = "retry"
    #: Perhaps sent: look before repeating.
    AMBIGUOUS = "ambiguous"
    #: This conversation cannot be reached until somebody changes something.
    DESTINATION = "destination"
    #: This message will never be accepted as it is.
    PAYLOAD = "payload"
    #: The whole channel is closed to us; keep everything and probe.
    CREDENTIALS = "credentials"
    #: An error in this program, or in what a plugin made of it; perhaps sent, and never given up.
    FAULT = "fault"


#: After these a message may be there all the same.
IN_DOUBT = frozenset({SendStatus.AMBIGUOUS, SendStatus.FAULT})
#: After these it is not there, unless it is found.
UNSAID = IN_DOUBT | {SendStatus.RETRY}


class SendResult(Struct, frozen=True):
    """How one attempt ended, in a channel's own words."""

    fate: SendStatus
    receipt: str | None = None
    #: The service's code or the error's name: `not_in_channel`, `ConnectionResetError`.
    reason: str = ""
    #: What a person should do about it; empty where nothing helps.
    hint: str = ""
    #: How long the service asked to wait.
    after: timedelta | None = None
    #: Such answers in a row after which an unknown one is taken as final; None: only `give_up` ends it.
    limit: int | None = None


def fault(error: Exception) -> SendResult:
    """Return what an attempt is that ended in an error nobody expected."""
    return SendResult(SendStatus.FAULT, reason=f"{type(error).__name__} in the program itself, see its log")


DEFAULT_WAIT = timedelta(seconds=30)
PROBE_FIRST = timedelta(seconds=5)
PROBE_LAST = timedelta(minutes=5)
#: With the chance, the first one is 75 to 150 ms.
RETRY_FIRST = timedelta(seconds=0.15)
RETRY_LAST = timedelta(minutes=1)


def next_attempt(
    outcome: SendResult, attempts: int, *, tried: timedelta, give_up: timedelta, chance: float
) -> timedelta | None:
    """Return the time until the next attempt, or None: the message is dead.

    `attempts` counts those made, this one included, over the time `tried`: a message that waited for a start, however
    old, has not been tried yet. `chance` in [0, 1) spreads many senders apart.
    """
    if outcome.fate is SendStatus.WAIT:
        return outcome.after or DEFAULT_WAIT
    if outcome.fate is SendStatus.CREDENTIALS:
        return outcome.after or growing(PROBE_FIRST, PROBE_LAST, attempts)
    if outcome.fate in (SendStatus.DESTINATION, SendStatus.PAYLOAD):
        return None
    is_over = tried >= give_up or (outcome.limit is not None and attempts >= outcome.limit)
    if is_over and outcome.fate is not SendStatus.FAULT:
        return None
    return growing(RETRY_FIRST, RETRY_LAST, attempts) * (0.5 + chance / 2)


def growing(first: timedelta, last: timedelta, attempts: int) -> timedelta:
    """Double the delay with each attempt, up to `last`."""
    doublings = min(attempts - 1, 16)
    return min(last, first * (1 << doublings))
