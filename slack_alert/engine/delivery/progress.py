"""Batches the progress of deliveries for the recorder, because a commit costs more than a message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from slack_alert.core.model.message import DeliveryProgress
from slack_alert.engine.batches import Batch
from slack_alert.engine.delivery.lane import UNMARKED
from slack_alert.engine.ports import Recorder

#: How many are committed together; fewer than a lane may have open, so that it goes on sending meanwhile.
_GROUP = UNMARKED * 3 // 4
#: How long progress waits for more; until it is committed, a crash makes the next process verify the message.
_COMPANY_SECONDS = 0.02


class ProgressBatcher:
    """Collects progress in order, and releases the places of what is committed. Used on a single event loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waiting: list[DeliveryProgress] = []
        self._places: list[asyncio.Semaphore] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, progress: DeliveryProgress, place: asyncio.Semaphore | None = None) -> None:
        """Record progress soon, and release its place once it is committed."""
        self._waiting.append(progress)
        if place is not None:
            self._places.append(place)
        if len(self._waiting) >= _GROUP:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_COMPANY_SECONDS, self.flush)

    def flush(self) -> None:
        """Submit all collected progress now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        marks, places = self._waiting, self._places
        release = partial(asyncio.get_running_loop().call_soon_threadsafe, _release, places)
        self._recorder.submit(Batch(progress=marks), release if places else None)
        # Not before: where the recorder fails, the next flush submits these again.
        self._waiting, self._places = [], []


def _release(places: Iterable[asyncio.Semaphore]) -> None:
    for place in places:
        place.release()
