"""Processor time a fire at a constant rate, as more and more jobs that are not due are stored beside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.fire import watched
from benchmarks.report import Options, Row, main, medians
from benchmarks.site import IDLE, Jobs, site
from benchmarks.subjects import product

#: Fires a second.
RATE = 100
STORED = (100, 1_000, 10_000, 100_000)


def rows(options: Options) -> Iterator[Row]:
    """Compare each number of stored jobs with the smallest."""
    measures = {f"{stored:,}": partial(_microseconds, stored, options) for stored in STORED}
    found = medians(measures, options.rounds)
    first = found[f"{STORED[0]:,}"]
    for stored, figure in list(found.items())[1:]:
        figures = f"{figure:.0f} us, with {STORED[0]} {first:.0f} us"
        yield Row(f"CPU a fire, {stored} jobs stored vs {STORED[0]}", figure / first, None, figures)


def _microseconds(stored: int, options: Options) -> float:
    with site(Jobs(RATE), Jobs(stored - RATE, IDLE, "hours=24", first=RATE)) as place:
        return watched(place, product(), options.scheduler, options.seconds)


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
