"""Whose turn it is where much waits for one address: one noisy job does not keep the others from being heard."""

from __future__ import annotations

from collections import deque

from slack_alert.core.model import Delivery
from slack_alert.core.parts import PARTS
from slack_alert.core.storms import goes_on, job_of, turn_of


class Turns:
    """The jobs that had a turn, and who is speaking."""

    __slots__ = ("_count", "_left", "_served", "_turn")

    def __init__(self) -> None:
        self._count = 0
        #: The number of each job's last turn.
        self._served: dict[str, int] = {}
        self._turn = ""
        #: So many more parts the text may have that is being said.
        self._left = 0

    @property
    def speaking(self) -> str:
        """Which run is in the middle of a text, if any."""
        return self._turn if self._left else ""

    def bring_forward(self, queue: deque[Delivery], summary: str | None) -> None:
        """Put at the head what is said next: of the job that waits longest for a turn, its oldest.

        What was attempted stays there. The message with the key `summary` comes last.
        """
        if queue[0].reason is not None:
            return
        place = self._next(queue, summary)
        chosen = queue[place]
        if place:
            del queue[place]
            queue.appendleft(chosen)
        self._take(chosen)

    def _next(self, queue: deque[Delivery], summary: str | None) -> int:
        heard: set[str] = set()
        longest, chosen = self._count + 1, 0
        for place, delivery in enumerate(queue):
            job = job_of(delivery.message)
            if job in heard or delivery.message.key == summary:
                continue
            if self._left and turn_of(delivery.message) == self._turn:
                return place
            heard.add(job)
            served = self._served.get(job, 0)
            if served < longest:
                longest, chosen = served, place
        return chosen

    def _take(self, chosen: Delivery) -> None:
        turn = turn_of(chosen.message)
        if turn != self._turn or not self._left:
            self._turn, self._left = turn, PARTS
            self._count += 1
            self._served[job_of(chosen.message)] = self._count
        self._left = self._left - 1 if goes_on(chosen.message) else 0
