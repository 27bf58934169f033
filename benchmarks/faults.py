"""Messages lost while Slack is away, slow, limiting, failing, and when the program is killed; none may be."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
_SCHEDULER = "AsyncIOScheduler"


@dataclass(slots=True)
class Stage:
    """What a fault is done to, and what is noted meanwhile."""

    slack: Slack
    place: Site
    process: Process
    #: When the fault lasted.
    span: tuple[float, float] = (0.0, 0.0)

    @property
    def returned(self) -> set[str]:
        """Give what the functions returned, over all lives of the process."""
        return {text for notes in self.place.notes for text in notes.said()}

    @property
    def received(self) -> list[str]:
        return [text.rpartition("\n")[2].split(" ")[-1] for _, text in self.slack.received]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong while so many messages a second are said."""

    name: str
    happen: Callable[[Stage], None]
    rate: int = 20
    #: The product's own pace, and Slack's limit, in messages a second.
    limit: float = 0.0


def rows(options: Options) -> Iterator[Row]:
    """Count what is lost under each fault, in all rounds together."""
    for fault in FAULTS:
        if options.only in fault.name:
            yield from _rows(fault, options.rounds)


def _rows(fault: Fault, rounds: int) -> Iterator[Row]:
    lost = returned = repeated = posts = fires = 0
    for _ in range(rounds):
        stage = _performed(fault)
        came, said = stage.received, stage.returned
        lost += len(said - set(came))
        repeated += len(came) - len(set(came))
        returned += len(said)
        posts += stage.slack.posts
        fires += sum(1 for _ in stage.place.notes[0].fires(*stage.span))
    yield Row(f"lost, {fault.name}", lost, 0, f"of {returned}; {repeated} came twice")
    if fault.happen is _slow:
        due = rounds * fault.rate * _FAULT_SECONDS
        yield Row("fires done while answers take 2 s", fires / due, 0.99, f"{fires} of {due:.0f}", is_floor=True)
    if fault.limit:
        yield Row("requests a delivered message, Slack's limit", posts / returned, 1.1, f"{posts} for {returned}")


def _performed(fault: Fault) -> Stage:
    jobs = Jobs(fault.rate, SPEAKING)
    with Slack() as slack, site(jobs, url=slack.url, pace=fault.limit) as place:
        slack.limit = fault.limit
        stage = Stage(slack, place, place.start(product(), _SCHEDULER))
        try:
            time.sleep(_BEFORE_SECONDS)
            began = time.time()
            fault.happen(stage)
            stage.span = began, began + _FAULT_SECONDS
            place.notes[-1].silence()
            _wait_for_all(stage)
        finally:
            stage.process.stop()
        # Read while the folder is there.
        returned, fires = stage.returned, list(place.notes[0].fires(*stage.span))
    return _Kept(stage, returned, fires)
