"""Overflow of a lane: where more waits than a burst, the jobs take turns, and the excess becomes one message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import chain

from slack_alert.core.content.render import Text
from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery, DeliveryProgress, Message, RunPart, Status
from slack_alert.core.model.record import Verdict
from slack_alert.core.policy.overflow import (
    MINUTE,
    OverflowSummary,
    WaitingDelivery,
    add_to_summary,
    select_overflow,
    summary_text,
    superseded,
    to_waiting,
)
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import KEPT, Lane
from slack_alert.engine.delivery.prepare import Receipts
from slack_alert.engine.ports import Clock, Recorder

log = logging.getLogger(__name__)

#: How many deliveries in the store are read in one go; the loop has other work.
_LOOKED_AT = 10 * KEPT


class LaneOverflow:
    """Handles lanes that are not calm; used by the sender, on its loop."""

    def __init__(
        self,
        recorder: Recorder,
        *,
        stored: Callable[[str | None, int, int], list[Delivery]],
        receipts: Receipts,
        clock: Clock,
        zone: tzinfo,
        ended: Callable[[Collection[RunPart]], Mapping[int, Verdict]],
    ) -> None:
        self._recorder = recorder
        self._stored = stored
        self._receipts = receipts
        self._clock = clock
        self._zone = zone
        #: Returns how runs have ended that people asked for, those that have.
        self._ended = ended

    async def calm(self, lane: Lane) -> bool:
        """Collapse what cannot be sent in a minute, and move the delivery that is sent next to the head.

        Return whether the lane is ready; False: more is to be read from the store first. The caller sends nothing of
        the lane meanwhile.
        """
        waits = len(lane.queue) + lane.spilled
        lane.limit = max(lane.room, min(lane.limit, waits))
        if waits > lane.limit and await self._collapse(lane) and lane.has_spilled:
            return False
        if lane.queue:
            self._give_turn(lane)
        return True

    def _give_turn(self, lane: Lane) -> None:
        storm = lane.storm
        may_wait = storm is not None and self._clock.monotonic() < lane.storm_due
        lane.turns.promote(lane.queue, storm.origin if storm and may_wait else None)
        if storm is None:
            return
        if lane.queue[0].message.origin == storm.origin:  # It is sent next, so it counts no further messages.
            lane.queue[0] = replace(lane.queue[0], message=self._message(lane, storm))
            lane.storm = None
        elif not may_wait and not any(each.message.origin == storm.origin for each in lane.queue):
            lane.storm = None  # A person dropped it, or it waits in the store with all that it counts.

    async def _collapse(self, lane: Lane) -> bool:
        try:
            line = list(self._line(lane))
        except StoreError as error:
            log.warning("outbox not readable", extra={"reason": str(error)})
            return False
        if stale := superseded(line):
            await self._drop(lane, stale)
            ids = {one.id for one in stale}
            line = [one for one in line if one.id not in ids]
        gone = select_overflow(line, lane.room, has_summary=lane.storm is not None)
        if not gone:
            lane.limit = max(lane.room, len(lane.queue) + lane.spilled)
            return False
        if lane.storm is None:
            log.warning("storm", extra={"to": str(lane.address), "waiting": len(line), "allowed": lane.room})
            lane.storm_due = self._clock.monotonic() + MINUTE.total_seconds()
        lane.storm = add_to_summary(lane.storm, gone)
        lane.limit = lane.room
        await self._written(self._batch(lane, lane.storm, gone))
        self._forget(lane, frozenset(one.id for one in gone))
        return True

    async def _drop(self, lane: Lane, stale: Sequence[WaitingDelivery]) -> None:
        at = self._clock.now()
        marks = [DeliveryProgress(one.id, Status.COLLAPSED, 0, at, reason="a later edit says more") for one in stale]
        await self._written(Batch(progress=marks))
        self._forget(lane, frozenset(one.id for one in stale))

    def _line(self, lane: Lane) -> Iterator[WaitingDelivery]:
        """Yield the deliveries that wait in memory, and then those in the store."""
        keys: set[str] = set()
        for delivery in chain(lane.queue, self._spilled(lane)):
            keys.add(delivery.message.key)
            yield to_waiting(delivery, is_followed=self._is_begun(delivery, lane) or self._is_followed(delivery, keys))

    def _spilled(self, lane: Lane) -> Iterator[Delivery]:
        after, left = lane.last, _LOOKED_AT
        while after < lane.announced and left > 0:
            page = self._stored(str(lane.address), after, KEPT)
            yield from (delivery for delivery in page if delivery.id <= lane.announced)
            left -= len(page)
            after = page[-1].id if len(page) == KEPT else lane.announced

    def _is_begun(self, delivery: Delivery, lane: Lane) -> bool:
        """Return whether a delivery is the rest of a text that was sent in part."""
        return delivery.message.origin.whole == lane.turns.speaking

    def _is_followed(self, delivery: Delivery, before: set[str]) -> bool:
        """Return whether a delivery belongs to a message that was sent, or waits before it."""
        root = delivery.message.root
        return bool(root) and (root in before or self._receipts.joined(delivery).follows is not None)

    def _batch(self, lane: Lane, storm: OverflowSummary, gone: Sequence[WaitingDelivery]) -> Batch:
        """Return the collapsed deliveries and the summary that counts them as one batch."""
        at = self._clock.now()
        marks = [
            DeliveryProgress(one.id, Status.COLLAPSED, 0, at, reason=f"counted in {storm.origin.key}") for one in gone
        ]
        return Batch(progress=marks, summaries=[self._message(lane, storm)])

    def _message(self, lane: Lane, storm: OverflowSummary) -> Message:
        text = summary_text(storm, self._zone, self._ends(storm))
        return Message(storm.origin.key, lane.address, Text(text), storm.origin)

    def _ends(self, storm: OverflowSummary) -> Mapping[int, Verdict]:
        try:
            return self._ended(storm.answers.values()) if storm.answers else {}
        except StoreError as error:
            log.warning("history not readable", extra={"reason": str(error)})
            return {}

    async def _written(self, batch: Batch) -> None:
        written = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._recorder.submit(batch, lambda: loop.call_soon_threadsafe(written.set))
        await written.wait()

    def _forget(self, lane: Lane, ids: frozenset[int]) -> None:
        before = len(lane.queue)
        lane.remove(ids)
        if lane.has_spilled:
            lane.spilled = max(1, lane.spilled - (len(ids) - (before - len(lane.queue))))
