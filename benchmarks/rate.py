"""The highest rate at which every job still runs every second, and what happens at four times that rate."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from benchmarks.fire import SETTLE_SECONDS
from benchmarks.lateness import due_times, slot
from benchmarks.report import Options, Row, main, medians
from benchmarks.site import Jobs, Site, site
from benchmarks.subjects import Subject, original, product

LADDER = (1_000, 1_500, 2_500, 4_000, 6_000, 9_000, 13_000, 20_000, 30_000, 45_000)
_ENOUGH = 0.99
#: All jobs are due at once, and under overload some seconds pass from one of these waves to the next.
_OVERLOADED_SECONDS = 20.0
_NOT_RUN = frozenset({"missed", "overlapped"})
_GRUMBLES = ("was missed by", "maximum number of running instances")


def rows(options: Options) -> Iterator[Row]:
    """Compare the rates held, then overload the product."""
    for scheduler in options.schedulers:
        measures = {each.name: _Ladder(each, scheduler, options.seconds).climb for each in (product(), original())}
        ours, theirs = medians(measures, options.rounds).values()
        figures = f"{ours:,.0f}/s, original {theirs:,.0f}/s"
        yield Row(f"rate held, {scheduler}, vs original", ours / max(theirs, 1), 4, figures, is_floor=True)
        yield from _overload(scheduler, round(ours), options.seconds)


class _Ladder:
    """Higher and higher rates, until one is not held."""

    def __init__(self, subject: Subject, scheduler: str, seconds: float) -> None:
        self._subject = subject
        self._scheduler = scheduler
        self._seconds = seconds

    def climb(self) -> float:
        """Return the last rate that was held, 0 for none."""
        held = 0
        for rate in LADDER:
            if not self._is_held(rate):
                break
            held = rate
        return held

    def _is_held(self, rate: int) -> bool:
        with site(Jobs(rate, per_file=250)) as place:
            _, began, errors = _watch(place, self._subject, self._scheduler, self._seconds)
            is_enough = self._slots_fired(place, began) >= _ENOUGH * rate * self._seconds
            return is_enough and not any(each in errors for each in _GRUMBLES) and not self._missed(place, began)

    def _slots_fired(self, place: Site, began: float) -> int:
        """Count by slot, because a span of time cuts the burst at each of its ends."""
        due, ended = due_times(place, self._subject), began + self._seconds
        fires = place.notes[-1].fires(began, ended + 1)
        return sum(began <= slot(note.at, due[note.job]) < ended for note in fires if note.job in due)

    def _missed(self, place: Site, began: float) -> bool:
        """Look into the product's history; the original has none, and grumbles on standard error."""
        if self._subject != product():
            return False
        found = place.history(self._subject)
        return sum(line["verdict"] in _NOT_RUN and _seconds(line["at"]) >= began for line in found) > 0


def _overload(scheduler: str, held: int, seconds: float) -> Iterator[Row]:
    with site(Jobs(4 * held, per_file=250)) as place:
        seconds = max(seconds, _OVERLOADED_SECONDS)
        fired, _, _ = _watch(place, product(), scheduler, seconds)
        recorded, due = _accounts(place)
    rate = fired / seconds
    name = f"at 4 times that rate, {scheduler}"
    yield Row(f"{name}, still fires vs held", rate / held, 0.8, f"{rate:,.0f}/s, held {held:,}/s", is_floor=True)
    yield Row(f"{name}, slots on record", recorded / due, 1, f"{recorded:,} of {due:,}", is_floor=True)


def _watch(place: Site, subject: Subject, scheduler: str, seconds: float) -> tuple[int, float, str]:
    """Return the fires within a span after the start, its beginning, and what was written to standard error in it."""
    with place.start(subject, scheduler) as process:
        time.sleep(SETTLE_SECONDS)
        began, before = time.time(), len(process.errors)
        time.sleep(seconds)
        errors = process.errors[before:]
        time.sleep(1)  # for the last slots to fire
    return sum(1 for _ in place.notes[-1].fires(began, began + seconds)), began, errors


def _accounts(place: Site) -> tuple[int, int]:
    """Return the slots in the history, and how many there were between the first and the last of each job."""
    recorded = 0
    firsts: defaultdict[object, float] = defaultdict(lambda: float("inf"))
    lasts: defaultdict[object, float] = defaultdict(float)
    for line in place.history(product()):
        count = line.get("count", 1)
        assert isinstance(count, int), "it counts slots"
        recorded += count
        job, at = line["job"], _seconds(line["at"])
        firsts[job] = min(firsts[job], at)
        lasts[job] = max(lasts[job], _seconds(line.get("until") or line["at"]))
    return recorded, sum(round(lasts[job] - firsts[job]) + 1 for job in firsts)


def _seconds(at: object) -> float:
    return datetime.fromisoformat(str(at)).timestamp()


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
