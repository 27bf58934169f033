"""Explain the deliveries of a run's messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_alert.core.explain.facts import JobFacts
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryMode, PostedDelivery, Status
from slack_alert.core.retry import PROBE_FIRST, PROBE_LAST, backoff
from slack_alert.core.units.humanize import counted, plural

_SERVICES = {"slack": "Slack", "console": "the terminal"}
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
#: Number of undelivered messages that are described one by one.
_NAMED = 3


def explain_deliveries(subject: JobFacts, posted: Sequence[PostedDelivery]) -> list[str]:
    """Return a sentence on the delivered messages, and one on each of the others with what prevents it."""
    sent = [one for one in posted if one.delivery.status is Status.SENT]
    left = [one for one in posted if one.delivery.status is not Status.SENT]
    said = [_sent_sentence(subject, sent)] if sent else []
    said += [_unsent_sentence(subject, one) for one in left[:_NAMED]]
    if len(left) > _NAMED:
        said.append(f"So it is with {len(left) - _NAMED} more of its messages: see `slack-alert outbox`.")
    return said


def _sent_sentence(subject: JobFacts, sent: Sequence[PostedDelivery]) -> str:
    last = sent[-1]
    delivery = last.delivery
    when = f" at {subject.clock(last.changed)}" if last.changed else ""
    tries = f", at the {_ordinal(delivery.attempts)} attempt" if delivery.attempts > 1 else ""
    receipt = f" (receipt {delivery.receipt})" if delivery.receipt else ""
    return f"{_describe_sent(sent)}{when}{tries}{receipt}."


def _describe_sent(sent: Sequence[PostedDelivery]) -> str:
    message = sent[-1].delivery.message
    if len(sent) > 1:
        return f"Its {len(sent)} messages were delivered to {_target(message.to)}"
    if message.manner is DeliveryMode.EDIT:
        return f"The message of its incident in {_target(message.to)} was edited"
    if message.manner is DeliveryMode.REPLY:
        return f"Its message was delivered into the thread of its incident in {_target(message.to)}"
    return f"Its message was delivered to {_target(message.to)}"


def _unsent_sentence(subject: JobFacts, one: PostedDelivery) -> str:
    delivery = one.delivery
    if delivery.status is Status.DEAD:
        return f"Its message is dead: {_answer(one)}. `slack-alert outbox retry {delivery.id}` sends it again."
    if delivery.status is not Status.QUEUED:
        reason = f" ({delivery.reason.rstrip('.')})" if delivery.reason else ""
        return f"It was not said in a message of its own: one message stands for it and others{reason}."
    return f"Its message is queued{_queue_text(one)}{_failed_attempts(subject, one)}."


def _queue_text(one: PostedDelivery) -> str:
    if not one.in_front:
        return ""
    return f" behind {counted(one.in_front, 'message')} for {_target(one.delivery.message.to)}"


def _failed_attempts(subject: JobFacts, one: PostedDelivery) -> str:
    """Return the failed attempts so far, and when the next one follows."""
    attempts = one.delivery.attempts
    if not subject.is_running:
        ending = "; slack-alert is not running, it goes out when it runs"
    elif attempts and one.changed:
        ending = f"; the next attempt follows {_next_attempt_text(subject, one.changed, attempts)}"
    else:
        ending = ""
    if not one.delivery.reason:
        return ending
    tried = f" and was tried {attempts} {plural(attempts, 'time')}" if attempts else ""
    last = f", last at {subject.clock(one.changed)}" if attempts and one.changed else ""
    return f"{tried}{last}: {_answer(one)}{ending}"


def _next_attempt_text(subject: JobFacts, changed: datetime, attempts: int) -> str:
    # The random part makes it sooner, and an attempt that did not reach the channel is repeated sooner as well.
    latest = changed + backoff(PROBE_FIRST, PROBE_LAST, attempts)
    return f"by {subject.clock(latest)}" if latest > subject.now else "now"


def _answer(one: PostedDelivery) -> str:
    """Return the service's answer or the error."""
    reason = (one.delivery.reason or "nothing").rstrip(".")
    channel = one.delivery.message.to.channel
    if one.delivery.is_answer:
        return f"{_SERVICES.get(channel, channel)} said {reason}"
    return f"the attempt ended with {reason}"


def _target(to: Address) -> str:
    return to.shown if to.conversation else _SERVICES.get(to.channel, to.channel)


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else _ORDINALS.get(number % 10, "th")
    return f"{number}{ending}"
