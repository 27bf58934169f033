"""How late blocking functions start: 25 and 200 of half a second each, every two seconds, from the second round on."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from benchmarks.lateness import due_times, slot
from benchmarks.report import SCHEDULERS, Options, Row, main, medians
from benchmarks.site import BLOCKING, Jobs, site
from benchmarks.subjects import Subject, original, product, raw

COUNTS = (25, 200)
PERIOD = 2
#: The second to the tenth.
ROUNDS = 9
#: Threads for more functions than the default has; the others keep the pools they come with.
_THREADS = 256


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original and with APScheduler alone, on the same scheduler."""
    for scheduler in options.schedulers:
        for count in COUNTS:
            subjects = _product(), original(), raw(count, every=PERIOD, blocks=0.5)
            ran: dict[str, int] = {}
            measures = {each.name: partial(_p99, each, scheduler, count, ran) for each in subjects}
            ours, theirs, bare = (1000 * each for each in medians(measures, options.rounds).values())
            share = ", ".join(f"{runs / count / ROUNDS:.0%}" for runs in ran.values())
            figures = f"{ours:.1f} ms, original {theirs:.0f}, APScheduler {bare:.0f}; of the slots ran {share}"
            name = f"{count} blocking, start p99, {scheduler}"
            yield Row(f"{name}, vs original", ours / theirs, _bar(scheduler), figures)
            yield Row(f"{name}, vs raw APScheduler", ours / bare, _bar(scheduler), figures)


def _bar(scheduler: str) -> float:
    """Return what may be held against it: greenlets have no pool to wait for, with anybody."""
    return 1.6 if scheduler == SCHEDULERS[2] else 0.35


def _product() -> Subject:
    subject = product()
    return replace(subject, environment={**subject.environment, "SLACK_ALERT_THREADS": str(_THREADS)})


def _p99(subject: Subject, scheduler: str, count: int, ran: dict[str, int]) -> float:
    """Return it in seconds, of the runs that began, and note their number; a slot that was skipped is not late."""
    with site(Jobs(count, BLOCKING, f"seconds={PERIOD}")) as place:
        with place.start(subject, scheduler):
            time.sleep(PERIOD + PERIOD * ROUNDS + PERIOD / 2)
        due = due_times(place, subject)
        fires = list(place.notes[-1].fires())
    if not fires:
        raise RuntimeError(f"{subject.name} ran nothing in {ROUNDS} rounds")
    second = min(note.at for note in fires) + PERIOD / 2
    within = (note for note in fires if second <= note.at < second + PERIOD * ROUNDS)
    late = sorted(note.at - slot(note.at, due[note.job], PERIOD) for note in within)
    ran[subject.name] = len(late)
    return late[math.ceil(0.99 * len(late)) - 1]


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
