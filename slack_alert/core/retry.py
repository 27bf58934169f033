"""Results of delivery attempts, and how long a lane is held after each: a 429, a refused token, a failure."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from slack_alert.core.structs import Struct


class SendStatus(str, Enum):
    """Outcome of one attempt to send a message."""

    SENT = "sent"
    #: The service asked to wait: not sent, and not counted as an attempt.
    WAIT = "wait"
    #: Not sent; another attempt may succeed.
    RETRY = "retry"
    #: Perhaps sent: look for the message before sending it again.
    AMBIGUOUS = "ambiguous"
    #: The conversation cannot be reached until somebody changes something.
    DESTINATION = "destination"
    #: The message as it is will never be accepted.
    PAYLOAD = "payload"
    #: The credentials are refused for the whole channel: keep all messages and probe.
    CREDENTIALS = "credentials"
    #: An error in this program or in a plugin's piece; perhaps sent, and never given up.
    FAULT = "fault"


#: Outcomes after which the message may have been sent all the same.
IN_DOUBT = frozenset({SendStatus.AMBIGUOUS, SendStatus.FAULT})
#: Outcomes after which the message counts as not sent, unless it is found.
UNSAID = IN_DOUBT | {SendStatus.RETRY}


class SendResult(Struct, frozen=True):
    """The result of one attempt to send a message, as the channel reports it."""

    status: SendStatus
    receipt: str | None = None
    #: The service's code or the error's name: `not_in_channel`, `ConnectionResetError`.
    reason: str = ""
    #: Whether the service itself said that, and not an error on the way there.
    is_answer: bool = False
    #: What a person can do about it; empty if nothing helps.
    hint: str = ""
    #: The delay that the service asked for.
    after: timedelta | None = None
    #: Number of attempts after which this unknown answer is final; None: only `give_up` ends it.
    limit: int | None = None


def fault(error: Exception) -> SendResult:
    """Return the result of an attempt that raised an unexpected error."""
    return SendResult(SendStatus.FAULT, reason=f"{type(error).__name__} in the program itself, see its log")


DEFAULT_WAIT = timedelta(seconds=30)
PROBE_FIRST = timedelta(seconds=5)
PROBE_LAST = timedelta(minutes=5)
#: With `chance` applied, the first delay is 75 to 150 ms.
RETRY_FIRST = timedelta(seconds=0.15)
RETRY_LAST = timedelta(minutes=1)


def next_attempt(
    outcome: SendResult, attempts: int, *, tried: timedelta, give_up: timedelta, chance: float
) -> timedelta | None:
    """Return the delay until the next attempt, or None if the message is dead.

    `attempts` is the number of attempts made, this one included, and `tried` the time since the first of them: a
    message that waited for the program to start, however old, has not been tried yet. `chance` in [0, 1) spreads the
    retries of many senders.
    """
    if outcome.status is SendStatus.WAIT:
        return outcome.after or DEFAULT_WAIT
    if outcome.status is SendStatus.CREDENTIALS:
        return outcome.after or backoff(PROBE_FIRST, PROBE_LAST, attempts)
    if outcome.status in (SendStatus.DESTINATION, SendStatus.PAYLOAD):
        return None
    is_over = tried >= give_up or (outcome.limit is not None and attempts >= outcome.limit)
    if is_over and outcome.status is not SendStatus.FAULT:
        return None
    return backoff(RETRY_FIRST, RETRY_LAST, attempts) * (0.5 + chance / 2)


def backoff(first: timedelta, last: timedelta, attempts: int) -> timedelta:
    """Return the delay after `attempts` attempts: `first`, doubled with each further one, at most `last`."""
    doublings = min(attempts - 1, 16)
    return min(last, first * (1 << doublings))
