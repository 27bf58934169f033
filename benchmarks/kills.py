"""Kill the program at random moments, start it again, and count what is lost, doubled, out of order or unaccounted for.

`--rounds` is the number of kills over all schedulers together. What is found names the seed and the scheduler of its
project: `--seed 107 --scheduler GeventScheduler --rounds 25` chooses the same moments, as far as the machine allows it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.killing.check import KINDS, Finding, findings, slots, words
from benchmarks.killing.lives import Story, perform
from benchmarks.report import Options, Row, main

#: Kills of one project, from its first start to its end in order.
PER_PROJECT = 25
#: Of each kind; the others are counted.
_MOST_TOLD = 30
#: Projects side by side for each core: they wait more than they work.
_SIDE_BY_SIDE = 2


def rows(options: Options) -> Iterator[Row]:
    """Count each kind of fault, in all projects together; each of them is told with what happened around it."""
    told: Counter[str] = Counter()
    schedulers: dict[str, set[str]] = {kind: set() for kind in KINDS}
    kills = values = accounted = 0
    for story in _stories(options):
        kills, values, accounted = kills + story.kills, values + words(story), accounted + slots(story)
        for finding in findings(story):
            told[finding.kind] += 1
            schedulers[finding.kind].add(f"{story.scheduler} --seed {story.seed}")
            _tell(finding, told)
    behind = {KINDS[0]: f"of {values}", KINDS[3]: f"of {accounted}"}
    for kind in KINDS:
        detail = behind.get(kind, f"of {kills} kills")
        yield Row(f"{kind}, kill -9", told[kind], 0, "; ".join((detail, *sorted(schedulers[kind])[:4])))


def _stories(options: Options) -> Iterator[Story]:
    """Perform them, some side by side."""
    shares = list(_shares(options.kills, options.schedulers, options.seed))
    with ThreadPoolExecutor(_SIDE_BY_SIDE * (os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda share: perform(*share), shares)


def _shares(kills: int, schedulers: tuple[str, ...], seed: int) -> Iterator[tuple[str, int, int]]:
    """Yield scheduler, seed and number of kills of each project."""
    for number, scheduler in enumerate(schedulers):
        own = kills // len(schedulers) + (number < kills % len(schedulers))
        for place, start in enumerate(range(0, own, PER_PROJECT)):
            yield scheduler, seed + place, min(PER_PROJECT, own - start)


def _tell(finding: Finding, told: Counter[str]) -> None:
    if told[finding.kind] <= _MOST_TOLD:
        print(finding, flush=True)
    elif told[finding.kind] == _MOST_TOLD + 1:
        print(f"{finding.kind}: and more, counted only", flush=True)


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
