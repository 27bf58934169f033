"""Messages lost while Slack is away, slow, limiting, failing, and when the program is killed; none may be."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.process import Process
from benchmarks.report import Options, Row, main
from benchmarks.site import SPEAKING, Jobs, Site, site
from benchmarks.slack import Slack
from benchmarks.subjects import product

_BEFORE_SECONDS = 2.5
_FAULT_SECONDS = 5.0
_AWAY_SECONDS = 10.0
_SLOW_SECONDS = 2.0
#: How long a queue may take to empty when the fault is over.
_LONGEST_SECONDS = 150.0


@dataclass(slots=True)
class Stage:
    """What a fault is done to."""

    slack: Slack
    place: Site
    process: Process
    scheduler: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong while so many messages a second are said."""

    name: str
    happen: Callable[[Stage], None]
    rate: int = 20
    #: Slack's limit and the product's own pace, in messages a second; 0 is none.
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the functions returned, what Slack received, and what it took."""

    returned: frozenset[str]
    received: tuple[str, ...]
    posts: int
    #: Fires while the fault lasted, in parts of those due.
    fires: float

    @property
    def lost(self) -> int:
        return len(self.returned.difference(self.received))

    @property
    def repeated(self) -> int:
        return len(self.received) - len(set(self.received))


def rows(options: Options) -> Iterator[Row]:
    """Count what is lost under each fault, in all rounds together."""
    for fault in FAULTS:
        if options.only in fault.name:
            outcomes = [_performed(fault, options.scheduler) for _ in range(options.rounds)]
            yield from _rows(fault, outcomes)


def _rows(fault: Fault, outcomes: Sequence[Outcome]) -> Iterator[Row]:
    returned = sum(len(each.returned) for each in outcomes)
    repeated = sum(each.repeated for each in outcomes)
    yield Row(f"lost, {fault.name}", sum(each.lost for each in outcomes), 0, f"of {returned}; {repeated} came twice")
    if fault.happen is _slow:
        fires = median(each.fires for each in outcomes)
        yield Row("fires done of those due while answers take 2 s", fires, 0.99, "", is_floor=True)
    if fault.limit:
        posts = sum(each.posts for each in outcomes)
        yield Row("requests a delivered message, Slack's limit", posts / returned, 1.1, f"{posts} for {returned}")


def _performed(fault: Fault, scheduler: str) -> Outcome:
    with Slack() as slack, site(Jobs(fault.rate, SPEAKING), url=slack.url, pace=fault.limit) as place:
        slack.limit = fault.limit
        stage = Stage(slack, place, place.start(product(), scheduler), scheduler)
        try:
            time.sleep(_BEFORE_SECONDS)
            began = time.time()
            fault.happen(stage)
            ended = time.time()
            place.notes[-1].silence()
            _wait_for_all(stage)
        finally:
            stage.process.stop()
        fires = sum(1 for _ in place.notes[0].fires(began, ended)) / ((ended - began) * fault.rate)
        return Outcome(frozenset(_returned(place)), tuple(_received(slack)), slack.posts, fires)


def _wait_for_all(stage: Stage) -> None:
    """Wait until everything came, or for so long that the rest is lost."""
    until = time.monotonic() + _LONGEST_SECONDS
    while _returned(stage.place) - set(_received(stage.slack)) and time.monotonic() < until:
        time.sleep(0.2)


def _returned(place: Site) -> set[str]:
    *killed, going_on = place.notes
    return going_on.said().union(*(notes.said() - notes.last() for notes in killed))


def _received(slack: Slack) -> list[str]:
    """Return the texts that came; a late one begins with the time of its slot."""
    return [text.split()[-1] for _, text in slack.received]


def _failing(status: int, part: float) -> Callable[[Stage], None]:
    def happen(stage: Stage) -> None:
        stage.slack.fault = status, part
        time.sleep(_FAULT_SECONDS)
        stage.slack.fault = None

    return happen


def _away(stage: Stage) -> None:
    stage.slack.go_away()
    time.sleep(_AWAY_SECONDS)
    stage.slack.come_back()


def _slow(stage: Stage) -> None:
    stage.slack.delay_seconds = _SLOW_SECONDS
    time.sleep(_FAULT_SECONDS)
    stage.slack.delay_seconds = 0.0


def _limited(stage: Stage) -> None:  # noqa: ARG001 - the limit is there from the start
    time.sleep(_FAULT_SECONDS)


def _killed(stage: Stage) -> None:
    """Kill it inside a burst, and start it again."""
    count = len(stage.slack.received)
    while len(stage.slack.received) == count:
        time.sleep(0.001)
    stage.process.kill()
    stage.process = stage.place.start(product(), stage.scheduler)
    time.sleep(_FAULT_SECONDS)


FAULTS = (
    Fault("5 s of 429", _failing(429, 1.0)),
    Fault("1 message/s", _limited, rate=5, limit=1.0),
    Fault("10 s away", _away),
    Fault("30 % answers 500", _failing(500, 0.3)),
    Fault("30 % connections reset", _failing(0, 0.3)),
    Fault("answers take 2 s", _slow),
    Fault("kill -9 inside a burst of 100", _killed, rate=100),
)


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
