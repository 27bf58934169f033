"""Counts what meets what: a kill in a storm, an edit during a downtime, a clock that is set while a run goes on.

What happens to no program is not counted, except during a downtime: it met nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.simulation.evidence import LifeSpan
from tests.simulation.plugins import Stage
from tests.simulation.program import Place, Process

#: Among so many of the last calls it is looked for one that goes on.
_RECENT = 50
_SECOND = 1_000_000


class Meetings:
    """Counts by the names that `sometimes.py` knows."""

    def __init__(self, place: Place, stage: Stage, met: Counter[str]) -> None:
        self._place = place
        self._stage = stage
        self._met = met

    def count(self, what: str, process: Process | None) -> None:
        """Count what happens, and in which circumstances."""
        if process is None or process.is_over:
            self._met[f"{what} during a downtime"] += 1
            return
        self._met[what] += 1
        for circumstance in self._circumstances(process):
            self._met[f"{what} {circumstance}"] += 1

    def count_fault(self, fault: str, process: Process | None) -> None:
        """Count a fault that begins while a program runs."""
        if process is not None and not process.is_over:
            self.count(fault, process)

    def count_end(self, process: Process, spans: Sequence[LifeSpan], *, is_killed: bool) -> None:
        """Count the end of a life, of which nothing is removed yet, and how it came."""
        what = "kill" if is_killed else "end"
        self._met[what] += 1
        for circumstance in self._circumstances(process):
            self._met[f"{what} {circumstance}"] += 1
        if not is_killed:
            return
        span = spans[-1]
        self._met["kill before it was ready"] += not process.is_ready
        self._met["kill between acceptance and mark"] += not self._marked_all(span)
        is_soon = self._place.world.micros - span.began < _SECOND
        was_killed = len(spans) > 1 and spans[-2].code is None
        self._met["kill within a second of a start after a kill"] += is_soon and was_killed

    def _circumstances(self, process: Process) -> Iterator[str]:
        disk, service = self._place.disk, self._place.service
        calls = [call for call in self._stage.calls[-_RECENT:] if call.life == process.life.number]
        if any(call.ended is None for call in calls):
            yield "while a run goes on"
        if self._stage.is_storm:
            yield "in a storm"
        if disk.is_full:
            yield "on a full disk"
        if service.refused or service.lost_before or service.is_revoked:
            yield "while nothing arrives"

    def _marked_all(self, span: LifeSpan) -> bool:
        """Return whether it is written of all that the service accepted in a life."""
        accepted = [one for at, one in self._place.service.accepted if at >= span.began]
        return all(one["ts"] in self._place.disk.marked for one in accepted if one["method"] == "chat.postMessage")
