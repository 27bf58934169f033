"""Resident memory: with everything loaded after messages were sent, and for each further job."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial

from benchmarks.report import Options, Row, main, medians
from benchmarks.site import IDLE, SPEAKING, Jobs, site
from benchmarks.slack import Slack
from benchmarks.subjects import Subject, original, product

_MANY = 10_000
_SPEAK_SECONDS = 4.0
_MEGA = 1e6


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original."""
    subjects = product(), original()
    idle = {each.name: partial(_resident, each, options.scheduler, 0) for each in subjects}
    full = {f"{each.name}, full": partial(_resident, each, options.scheduler, _MANY) for each in subjects}
    ours, theirs, our_full, their_full = medians(idle | full, options.rounds).values()
    figures = f"{ours / _MEGA:.1f} MB, {theirs / _MEGA:.1f} MB"
    yield Row("memory, everything loaded, vs original", ours / theirs, 1.5, figures)
    our_job, their_job = (our_full - ours) / _MANY, (their_full - theirs) / _MANY
    yield Row("memory a job, vs original", our_job / their_job, 1.0, f"{our_job:.0f} bytes, {their_job:.0f} bytes")


def _resident(subject: Subject, scheduler: str, jobs: int) -> float:
    """Measure after a function has spoken a few times, beside so many that wait."""
    with Slack() as slack, site(Jobs(1, SPEAKING), Jobs(jobs, IDLE, "hours=1", first=1), url=slack.url) as place:
        with place.start(subject, scheduler) as process:
            time.sleep(_SPEAK_SECONDS)
            resident = process.resident_bytes
        if not slack.received:
            raise RuntimeError(f"{subject.name} sent nothing\n{process.errors[-1000:]}")
    return resident


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
