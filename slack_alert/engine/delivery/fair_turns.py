"""Whose turn it is where much waits for one address: one noisy job does not keep the others from being heard."""

from __future__ import annotations

from collections import deque

from slack_alert.core.content.pieces import PARTS
from slack_alert.core.model.message import Delivery, job_of, may_continue, run_key
from slack_alert.core.policy.overflow import AGAIN

#: So many turns in a row a person and the program itself have before a job has one: who sends without end stops nobody.
_IN_A_ROW = 5


class FairQueue:
    """The jobs that had a turn, and who is speaking; a person and the program itself go before them."""

    __slots__ = ("_count", "_in_a_row", "_left", "_served", "_turn")

    def __init__(self) -> None:
        self._count = 0
        #: Turns of a person or of the program since a job had one.
        self._in_a_row = 0
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
        """Put at the head what is said next.

        That is what a person or the program says, or the oldest of the job that waits longest for a turn. What was
        attempted stays there. The message with the key `summary` comes last.
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
            job = _speaker(delivery)
            if job in heard or delivery.message.key == summary:
                continue
            if self._left and run_key(delivery.message) == self._turn:
                return place
            heard.add(job)
            served = self._served.get(job, 0) if job or self._in_a_row >= _IN_A_ROW else -1
            if served < longest:
                longest, chosen = served, place
        return chosen

    def _take(self, chosen: Delivery) -> None:
        turn = run_key(chosen.message)
        if turn != self._turn or not self._left:
            self._turn, self._left = turn, PARTS
            self._count += 1
            self._served[_speaker(chosen)] = self._count
            self._in_a_row = 0 if _speaker(chosen) else self._in_a_row + 1
        self._left = self._left - 1 if may_continue(chosen.message) else 0


def _speaker(delivery: Delivery) -> str:
    """Name the job; empty: a person asked for it, or the program says it."""
    return "" if delivery.reason == AGAIN else job_of(delivery.message)
