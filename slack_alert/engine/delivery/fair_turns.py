"""Fair turns among the jobs whose messages wait for an address, so that a noisy job does not block the others."""

from __future__ import annotations

from collections import deque

from slack_alert.core.content.pieces import PARTS
from slack_alert.core.model.message import Delivery, Notice, Origin, job_of, may_continue
from slack_alert.core.policy.overflow import AGAIN

#: Turns in a row of people and the program before a job gets one, so that replies without end do not block the jobs.
_IN_A_ROW = 5


class FairQueue:
    """Remembers the turns of the jobs, and the present one; replies to people and the program's notices go first."""

    __slots__ = ("_count", "_in_a_row", "_left", "_served", "_turn")

    def __init__(self) -> None:
        self._count = 0
        #: Turns of people or of the program since the last turn of a job.
        self._in_a_row = 0
        #: The number of each job's last turn.
        self._served: dict[str, int] = {}
        self._turn: Origin | None = None
        #: How many further parts the text in progress may have.
        self._left = 0

    @property
    def speaking(self) -> Origin | None:
        """The run that is in the middle of a text; None: none is."""
        return self._turn if self._left else None

    def promote(self, queue: deque[Delivery], summary: Notice | None) -> None:
        """Move the delivery that is sent next to the head.

        That is a reply to a person or a notice of the program, else the oldest of the job that waits longest for its
        turn. A delivery that was attempted stays at the head. The message of this `summary` comes last.
        """
        if queue[0].reason is not None:
            return
        place = self._next(queue, summary)
        chosen = queue[place]
        if place:
            del queue[place]
            queue.appendleft(chosen)
        self._take(chosen)

    def _next(self, queue: deque[Delivery], summary: Notice | None) -> int:
        heard: set[str] = set()
        before: set[str] = set()
        longest, chosen = self._count + 1, 0
        for place, delivery in enumerate(queue):
            job, message = _speaker(delivery), delivery.message
            before.add(message.key)
            # What it edits or replies to goes first: else it would become a message of its own.
            is_early = message.root in before
            if job in heard or is_early or message.origin == summary:
                continue
            if self._left and message.origin.whole == self._turn:
                return place
            heard.add(job)
            served = self._served.get(job, 0) if job or self._in_a_row >= _IN_A_ROW else -1
            if served < longest:
                longest, chosen = served, place
        return chosen

    def _take(self, chosen: Delivery) -> None:
        turn = chosen.message.origin.whole
        if turn != self._turn or not self._left:
            self._turn, self._left = turn, PARTS
            self._count += 1
            self._served[_speaker(chosen)] = self._count
            self._in_a_row = 0 if _speaker(chosen) else self._in_a_row + 1
        self._left = self._left - 1 if may_continue(chosen.message) else 0


def _speaker(delivery: Delivery) -> str:
    """Return the job of a delivery; empty: a person asked for it, or it is a notice of the program."""
    return "" if delivery.reason == AGAIN else job_of(delivery.message)
