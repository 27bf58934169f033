"""From due to received: at 100 messages a second, and as many as go, at a fake Slack without limits."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.fire import SETTLE_SECONDS
from benchmarks.lateness import due_times, slot
from benchmarks.report import Options, Row, main
from benchmarks.site import SPEAKING, Jobs, Site, site
from benchmarks.slack import Slack
from benchmarks.subjects import Subject, original, product

STEADY = 100
#: Messages due a second, of which the best counts: far beyond its ceiling a program may send less than at it.
_OFFERED = (1_000, 2_000, 3_000, 4_000, 4_500)
_MILLI = 1e3


@dataclass(frozen=True, slots=True)
class Sending:
    """What was seen at the fake Slack within a span."""

    per_second: float
    p50_seconds: float
    processor_seconds: float
    connections: float


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original."""
    scheduler = options.scheduler
    found: defaultdict[str, list[Sending]] = defaultdict(list)
    for _ in range(options.rounds):
        for subject in (product(), original()):
            found[subject.name].append(_send(subject, scheduler, STEADY, options.seconds))
            tries = [_send(subject, scheduler, rate, options.seconds) for rate in _OFFERED]
            found[f"{subject.name}, unlimited"].append(max(tries, key=lambda sending: sending.per_second))
    (ours, our_most), (theirs, their_most) = (
        (found[each.name], found[f"{each.name}, unlimited"]) for each in (product(), original())
    )
    our_p50, their_p50 = (_MILLI * median(each.p50_seconds for each in seen) for seen in (ours, theirs))
    figures = f"{our_p50:.1f} ms, original {their_p50:.1f}"
    yield Row(f"due to received p50, {STEADY}/s, vs original", our_p50 / their_p50, 0.35, figures)
    our_rate, their_rate = (median(each.per_second for each in seen) for seen in (our_most, their_most))
    figures = f"{our_rate:.0f}/s, original {their_rate:.0f}/s"
    yield Row("messages/s without limit vs original", our_rate / their_rate, 4, figures, is_floor=True)
    our_cost, their_cost = (_MILLI * median(each.processor_seconds for each in seen) for seen in (ours, theirs))
    figures = f"{our_cost:.2f} ms, original {their_cost:.2f}"
    yield Row(f"CPU a message, {STEADY}/s, vs original", our_cost / their_cost, 0.3, figures)
    opened, theirs_opened = (median(each.connections for each in seen) for seen in (ours, theirs))
    yield Row("new connections a message", opened, 0.05, f"original {theirs_opened:.2f}")


def _send(subject: Subject, scheduler: str, rate: int, seconds: float) -> Sending:
    with Slack() as slack, site(Jobs(rate, SPEAKING), url=slack.url) as place:
        with place.start(subject, scheduler) as process:
            time.sleep(SETTLE_SECONDS)
            began, before, connections = time.time(), process.processor_seconds, slack.connections
            time.sleep(seconds)
            spent, opened, ended = process.processor_seconds - before, slack.connections - connections, time.time()
            place.notes[-1].silence()
        received = [(at, text) for at, text in slack.received if began <= at < ended]
        if not received:
            raise RuntimeError(f"{subject.name} sent nothing\n{process.errors[-1000:]}")
        count = len(received)
        p50 = median(_delays(place, subject, received))
    return Sending(count / (ended - began), p50, spent / count, opened / count)


def _delays(place: Site, subject: Subject, received: list[tuple[float, str]]) -> Iterator[float]:
    """Yield the seconds from the due time of the run that said it to the arrival of each message."""
    due = due_times(place, subject)
    runs = {f"{place.notes[-1].path.name}:{note.place}": note for note in place.notes[-1].fires()}
    for at, text in received:
        run = runs[text.split(" ")[0]]  # the original adds a notice to some
        yield at - slot(run.at, due[run.job])


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
