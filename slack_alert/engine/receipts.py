"""The receipts of messages that later ones reply to, or edit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from slack_alert.core.model.message import Delivery
from slack_alert.core.structs import replace

#: The latest ones are at hand before they are committed; the store has the others.
_AT_HAND = 1000


class Receipts:
    """Finds what a message follows; used on the main loop."""

    def __init__(self, stored: Callable[[str], str | None]) -> None:
        self._stored = stored
        self._latest: OrderedDict[str, str] = OrderedDict()

    def remember(self, key: str, receipt: str | None) -> None:
        """Take note of what a channel accepted."""
        if receipt is not None:
            self._latest[key] = receipt
            if len(self._latest) > _AT_HAND:
                self._latest.popitem(last=False)

    def joined(self, delivery: Delivery) -> Delivery:
        """Give the delivery with the receipt of what it follows; without one it is a message of its own."""
        root = delivery.message.root
        return replace(delivery, follows=self._latest.get(root) or self._stored(root)) if root else delivery
