"""Put the slot's time before a message that comes late."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from slack_alert.core.content.notices import with_slot_time
from slack_alert.core.content.render import Text, Upload
from slack_alert.core.model.message import Delivery
from slack_alert.core.structs import replace

#: A message delivered later than this after its slot begins with the slot's time.
_LATE = timedelta(minutes=1)


def dressed(delivery: Delivery, *, now: datetime, zone: tzinfo) -> tuple[Delivery, str | None]:
    """Give what a channel is asked to send; the parts after the first one follow the time that stands there."""
    message = delivery.message
    if message.slot is None or now - message.slot <= _LATE or not message.key.endswith("#0"):
        return delivery, None
    local = _local(message.slot.astimezone(zone), now.astimezone(zone))
    if isinstance(message.piece, Text):
        return delivery, with_slot_time(message.piece.text, local)
    if isinstance(message.piece, Upload):
        piece = replace(message.piece, comment=with_slot_time(message.piece.comment, local).strip())
        return replace(delivery, message=replace(message, piece=piece)), None
    return delivery, None


def _local(slot: datetime, now: datetime) -> str:
    return slot.strftime("%H:%M" if slot.date() == now.date() else "%Y-%m-%d %H:%M")
