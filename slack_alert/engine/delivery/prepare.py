"""Prepares deliveries for their channel: the receipt of the message they follow, and the time of a late one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.content.notices import with_slot_time
from slack_alert.core.content.render import Text, Upload
from slack_alert.core.model.message import Delivery
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import format_stamp

#: The latest receipts are held before they are committed; the store has the others.
_AT_HAND = 1000


class Receipts:
    """Holds the receipts that later messages reply to, or edit; used on the main loop."""

    def __init__(self, stored: Callable[[str], str | None]) -> None:
        self._stored = stored
        self._latest: OrderedDict[str, str] = OrderedDict()

    def remember(self, key: str, receipt: str | None) -> None:
        """Record the receipt of a message that a channel accepted."""
        if receipt is not None:
            self._latest[key] = receipt
            if len(self._latest) > _AT_HAND:
                self._latest.popitem(last=False)

    def joined(self, delivery: Delivery) -> Delivery:
        """Return the delivery with the receipt of the message it follows; without a receipt it is sent by itself."""
        root = delivery.message.root
        return replace(delivery, follows=self._latest.get(root) or self._stored(root)) if root else delivery


#: A message delivered later than this after its slot begins with the slot's time.
LATE = timedelta(minutes=1)


def with_late_time(delivery: Delivery, slot: datetime, now: datetime, zone: tzinfo) -> tuple[Delivery, str | None]:
    """Return a late delivery, and its text if changed: the first part of a message begins with the slot's time."""
    message = delivery.message
    if message.origin.n:
        return delivery, None
    local = format_stamp(slot, zone, now, has_seconds=False)
    if isinstance(message.piece, Text):
        return delivery, with_slot_time(message.piece.text, local)
    if isinstance(message.piece, Upload):
        piece = replace(message.piece, comment=with_slot_time(message.piece.comment, local).strip())
        return replace(delivery, message=replace(message, piece=piece)), None
    return delivery, None
