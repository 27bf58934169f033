"""The deliveries that a short command made and sends itself; what waited before waits for the program."""

from __future__ import annotations

from collections.abc import Sequence

from slack_alert.bootstrap.wiring import Waiting
from slack_alert.core.model.message import Delivery
from slack_alert.engine.delivery.lane import KEPT
from slack_alert.engine.ports import Reader


def still_waiting(reader: Reader, ids: frozenset[int]) -> list[Delivery]:
    """Return the deliveries with these ids that are still waiting."""
    after, mine = min(ids) - 1, list[Delivery]()
    while page := reader.waiting(None, after, KEPT):
        after = page[-1].id
        mine += [delivery for delivery in page if delivery.id in ids]
    return mine


def waiting_of(mine: Sequence[Delivery]) -> Waiting:
    """Return a reader of these deliveries only, like the store's of all; at a start, of those attempted before."""

    def waiting(address: str | None, after: int, limit: int) -> list[Delivery]:
        found = [one for one in mine if one.id > after and (one.attempts if address is None else _is_at(one, address))]
        return found[:limit]

    return waiting


def _is_at(delivery: Delivery, address: str) -> bool:
    return str(delivery.message.to) == address
