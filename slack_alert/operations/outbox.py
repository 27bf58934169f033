"""List the outbox, send messages of it again, and drop them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

from slack_alert.core.errors import BadValue
from slack_alert.core.model.message import Delivery, Status
from slack_alert.core.model.request import DropDelivery, RetryDelivery
from slack_alert.operations.requester import Requester


def list_outbox(deliveries: Iterable[Delivery], *, done: int | None) -> tuple[list[Delivery], dict[Status, int]]:
    """Return the unsent messages and the last few (`done`) of the others, and the number of those left out by status.

    None stands for all.
    """
    unsent: list[Delivery] = []
    kept: dict[Status, deque[Delivery]] = {status: deque(maxlen=done) for status in (Status.SENT, Status.COLLAPSED)}
    numbers: Counter[Status] = Counter()
    for delivery in deliveries:
        if delivery.status in kept:
            numbers[delivery.status] += 1
            kept[delivery.status].append(delivery)
        else:
            unsent.append(delivery)
    left_out = {status: number - len(kept[status]) for status, number in numbers.items()}
    shown = [*unsent, *(delivery for each in kept.values() for delivery in each)]
    return sorted(shown, key=lambda delivery: delivery.id), {one: left for one, left in left_out.items() if left}


def retry(ids: Sequence[int], deliveries: Iterable[Delivery], requester: Requester) -> Iterator[tuple[int, bool]]:
    """Send dead or collapsed messages again; yield each id, and whether a running program takes it."""
    for delivery in _find(ids, deliveries):
        if delivery.status not in (Status.DEAD, Status.COLLAPSED):
            state = "was sent already" if delivery.status is Status.SENT else "is queued, it is tried again anyway"
            raise BadValue(f"Message {delivery.id} {state}.", hint="Only a dead or a collapsed message can be retried.")
    return _change(RetryDelivery, ids, requester)


def drop(ids: Sequence[int], deliveries: Iterable[Delivery], requester: Requester) -> Iterator[tuple[int, bool]]:
    """Remove messages that were not sent; yield each id, and whether a running program takes it."""
    for delivery in _find(ids, deliveries):
        if delivery.status is Status.SENT:
            hint = "Only what did not arrive can be dropped."
            raise BadValue(f"Message {delivery.id} was sent already.", hint=hint)
    return _change(DropDelivery, ids, requester)


def _change(
    kind: type[RetryDelivery | DropDelivery], ids: Sequence[int], requester: Requester
) -> Iterator[tuple[int, bool]]:
    for number in dict.fromkeys(ids):
        yield number, requester.ask(kind(number))


def _find(ids: Sequence[int], deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """Yield the messages in the order of these ids; raise BadValue if there is none."""
    found = {delivery.id: delivery for delivery in deliveries if delivery.id in ids}
    for number in ids:
        if number not in found:
            raise BadValue(f"There is no message {number}.", hint="`slack-alert outbox --all` lists them.")
        yield found[number]
