"""How late functions start at 1,000 a second, alone and with a function that blocks for half a second mixed in."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from benchmarks.fire import SETTLE_SECONDS
from benchmarks.report import Options, Row, main, medians
from benchmarks.site import BLOCKING, Jobs, Site, site
from benchmarks.subjects import Subject, original, product

#: A run that begins less than so much before a slot belongs to it: clocks are read at two places.
_AHEAD_SECONDS = 0.01


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original, and with itself."""
    for scheduler in options.schedulers:
        measures = {
            "product": partial(_p99, product(), scheduler, options, blocking=0),
            "original": partial(_p99, original(), scheduler, options, blocking=0),
            "blocked": partial(_p99, product(), scheduler, options, blocking=1),
        }
        ours, theirs, blocked = (1000 * each for each in medians(measures, options.rounds).values())
        yield Row(f"late p99, {scheduler}, vs original", ours / theirs, 0.35, f"{ours:.1f} ms, original {theirs:.1f}")
        figures = f"{blocked:.1f} ms, without {ours:.1f}"
        yield Row(f"late p99, {scheduler}, with one blocking vs without", blocked / ours, 1.6, figures)


def due_times(place: Site, subject: Subject) -> dict[int, float]:
    """Return a due time of each job: noted at the start, or of any slot in the product's history."""
    noted = place.notes[-1].due_times()
    if noted:
        return noted
    jobs = len({note.job for note in place.notes[-1].fires()})
    lines = place.history(subject, "--limit", str(2 * jobs))
    return {_number(line["job"]): datetime.fromisoformat(str(line["at"])).timestamp() for line in lines}


def slot(at: float, due: float, period: float = 1.0) -> float:
    """Return the slot, one of every period of seconds, that a run at this time belongs to."""
    late = (at - due) % period
    return at - (0.0 if late > period - _AHEAD_SECONDS else late)


def _p99(subject: Subject, scheduler: str, options: Options, *, blocking: int) -> float:
    with site(Jobs(options.jobs), Jobs(blocking, BLOCKING, first=500_000)) as place:
        with place.start(subject, scheduler):
            time.sleep(SETTLE_SECONDS)
            began = time.time()
            time.sleep(options.seconds)
        due = due_times(place, subject)
        fires = list(place.notes[-1].fires(began, began + options.seconds))
        late = sorted(note.at - slot(note.at, due[note.job]) for note in fires)
    if not late:
        raise RuntimeError(f"{subject.name} ran nothing within {options.seconds} s")
    return late[math.ceil(0.99 * len(late)) - 1]


def _number(job: object) -> int:
    return int(str(job).rpartition("_")[2])


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
