"""Messages a second to one channel while three in ten calls fail at random, and in the time of the original's run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.report import Options, Row, main
from benchmarks.site import SPEAKING, Jobs, Site, site
from benchmarks.slack import Slack
from benchmarks.subjects import Subject, original, product

#: Of all calls: posts, and looks whether a message is there.
_PART = 0.3
#: Slack's own pace, in messages a second.
_PACE = 1.0
#: Messages said a second: more than Slack's pace, but less than what becomes a storm; and where there is no pace.
_SAID_PACED = 2
_SAID = 3
#: So many times the usual, as one message a second takes its time to be counted.
_LONGER = 4
#: How long what is left may take when nothing more is said.
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Flow:
    """What was said, and what arrived while the calls failed."""

    per_second: float
    said: int
    received: int
    #: Of all that was said, at the end.
    lost: int
    repeated: int


def rows(options: Options) -> Iterator[Row]:
    """Compare with the same without failures at Slack's pace, and with the original without one."""
    seconds = _LONGER * options.seconds
    healthy: list[Flow] = []
    flaky: list[Flow] = []
    ours: list[Flow] = []
    theirs: list[Flow] = []
    for _ in range(options.rounds):
        healthy.append(_flow(product(), options.scheduler, seconds, pace=_PACE, part=0))
        flaky.append(_flow(product(), options.scheduler, seconds, pace=_PACE))
        ours.append(_flow(product(), options.scheduler, seconds, waits=True))
        theirs.append(_flow(original(), options.scheduler, seconds, waits=True))
    usual, found = (median(each.per_second for each in flows) for flows in (healthy, flaky))
    figures = f"{found:.2f}/s, {usual:.2f}/s"
    yield Row("messages/s at Slack's pace, 30 % of calls fail, vs none", found / usual, 0.5, figures, is_floor=True)
    came, theirs_came = (sum(each.received for each in flows) for flows in (ours, theirs))
    said = sum(each.said for each in ours)
    figures = f"{came} of {said}; original {theirs_came} of {sum(each.said for each in theirs)}"
    yield Row(f"received while 30 % fail, {_SAID}/s, vs original", came / theirs_came, 1, figures, is_floor=True)
    repeated = sum(each.repeated for each in (*ours, *flaky))
    lost = sum(each.lost for each in ours)
    yield Row("lost while 30 % fail", lost, 0, f"original {sum(each.lost for each in theirs)}")
    yield Row("came twice while 30 % fail", repeated, 0, f"of {said + sum(each.received for each in flaky)}")


def _flow(
    subject: Subject, scheduler: str, seconds: float, *, pace: float = 0, part: float = _PART, waits: bool = False
) -> Flow:
    with Slack() as slack, site(Jobs(_SAID_PACED if pace else _SAID, SPEAKING), url=slack.url, pace=pace) as place:
        slack.limit, slack.flaky = pace, part
        with place.start(subject, scheduler):
            while not slack.received:
                time.sleep(0.01)
            began, before = time.time(), len(slack.received)
            time.sleep(seconds)
            ended, came = time.time(), _texts(slack)
            place.notes[-1].silence()
            if waits:
                _wait(place, slack)
            said = place.notes[-1].said()
        everything = _texts(slack)
    per_second = (len(set(came)) - before) / (ended - began)
    lost = len(said.difference(everything)) if waits else 0
    return Flow(per_second, len(said), len(set(came)), lost, len(everything) - len(set(everything)))


def _wait(place: Site, slack: Slack) -> None:
    """Wait until everything came, or nothing more comes."""
    until = time.monotonic() + _LONGEST_SECONDS
    last, since = 0, time.monotonic()
    while place.notes[-1].said().difference(_texts(slack)) and time.monotonic() < until:
        time.sleep(0.1)
        if len(slack.received) != last:
            last, since = len(slack.received), time.monotonic()
        elif time.monotonic() - since > 2 * _LONGER:
            break


def _texts(slack: Slack) -> list[str]:
    """Return the texts that came; a late one begins with its slot's time, and the original adds a notice to some."""
    return [next(word for word in text.split() if word.startswith("notes_")) for _, text in slack.received]


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
