"""Processor time a fire: plain quiet functions every second, history kept, each of the four schedulers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial

from benchmarks.report import Options, Row, main, medians
from benchmarks.site import Jobs, Site, site
from benchmarks.subjects import Subject, original, product, raw

SETTLE_SECONDS = 3.0
_MICRO = 1e6


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original and with APScheduler alone, on the same scheduler."""
    for scheduler in options.schedulers:
        subjects = product(), original(), raw(options.jobs)
        measures = {each.name: partial(microseconds, each, scheduler, options) for each in subjects}
        ours, theirs, bare = medians(measures, options.rounds).values()
        figures = f"{ours:.1f} us, original {theirs:.1f}, APScheduler {bare:.1f}"
        yield Row(f"CPU a fire, {scheduler}, vs original", ours / theirs, 0.25, figures)
        yield Row(f"CPU a fire, {scheduler}, vs raw APScheduler", ours / bare, 0.5, figures)


def microseconds(subject: Subject, scheduler: str, options: Options) -> float:
    """Measure one subject once."""
    with site(Jobs(options.jobs)) as place:
        return watched(place, subject, scheduler, options.seconds)


def watched(
    place: Site, subject: Subject, scheduler: str, seconds: float, *, settle_seconds: float = SETTLE_SECONDS
) -> float:
    """Return the microseconds of processor a fire, over a span that begins when the start is over."""
    with place.start(subject, scheduler) as process:
        time.sleep(settle_seconds)
        began, before = time.time(), process.processor_seconds
        time.sleep(seconds)
        spent, ended = process.processor_seconds - before, time.time()
    fires = sum(1 for _ in place.notes[-1].fires(began, ended))
    if not fires:
        raise RuntimeError(f"{subject.name} ran nothing within {seconds} s\n{process.errors[-2000:]}")
    return spent / fires * _MICRO


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
