"""Compare what functions wrote down themselves with what arrived and what the history says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.killing.lives import Life, Mark, Story
from benchmarks.killing.mix import Mixed, with_slots

KINDS = (
    "values lost",
    "values doubled",
    "order breaks within a job",
    "slots unaccounted",
    "slots with two lines",
    "store regressions",
    "failed restarts",
    "corrupted databases",
    "tracebacks",
)
_WORD = re.compile(r"[a-z_]+\.truth_\d+\.\d+\.\d+")
#: A slot this close to the end of the last life may not have come any more.
_END_SECONDS = 0.1
#: A slot is on its grid when it is no farther from it; history has microseconds.
_OFF_SECONDS = 0.002
#: What is told about a finding happened no longer before or after.
_AROUND_SECONDS = 1.5
_MOST_TOLD = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as promised, and what happened around it."""

    kind: str
    what: str
    around: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it down for a person."""
        return "\n    ".join((f"{self.kind}: {self.what}", *self.around))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of history: one slot, or a row of them."""

    first: float
    last: float
    count: int
    verdict: str
    run: object

    def __str__(self) -> str:
        """Write it short."""
        row = f" to {self.last:.3f}, {self.count} slots" if self.count > 1 else ""
        return f"line {self.first:.3f}{row}: {self.verdict}, run {self.run}"


def findings(story: Story) -> Iterator[Finding]:
    """Yield all that is wrong."""
    yield from _messages(story)
    for mixed in with_slots():
        yield from _slots(story, mixed)
    yield from _regressions(story)
    yield from (Finding("failed restarts", one) for one in story.failed_starts)
    yield from (Finding("corrupted databases", one) for one in story.corrupted)
    yield from (Finding("tracebacks", one) for one in story.tracebacks)


def words(story: Story) -> int:
    """Return how many values the functions said for certain."""
    return len(_certain(story))


def slots(story: Story) -> int:
    """Return how many slots the lines of history account for."""
    return sum(line.count for mixed in with_slots() for line in _lines(story, mixed.name))


def _messages(story: Story) -> Iterator[Finding]:
    arrived = [found for text in story.received for found in _WORD.findall(text)]
    counts = Counter(arrived)
    for mark in _certain(story):
        if str(mark.said) not in counts:
            yield _finding(story, "values lost", mark.job, mark.at, f"{mark.said}")
    told = {str(mark.said): mark for mark in story.marks}
    for said, count in counts.items():
        if count > 1:
            yield _finding(story, "values doubled", told[said].job, told[said].at, f"{said} came {count} times")
    place = {str(mark.said): number for number, mark in enumerate(story.marks)}
    latest: dict[str, str] = {}
    for said in dict.fromkeys(arrived):
        job = told[said].job
        if job in latest and place[said] < place[latest[job]]:
            what = f"{said} came after {latest[job]}"
            yield _finding(story, "order breaks within a job", job, told[said].at, what)
        latest[job] = said


def _certain(story: Story) -> list[Mark]:
    """Return what was handed over for certain: each word that something of the same job followed in the same life.

    A word is written down before it is returned, and a kill may come in between.
    """
    followed: set[tuple[int, str]] = set()
    certain = []
    for mark in reversed(story.marks):
        key = (mark.life, mark.job)
        is_word = mark.what in {"saying", "returning"}
        if is_word and (key in followed or mark.life == story.lives[-1].number):
            certain.append(mark)
        followed.add(key)
    return certain[::-1]


def _slots(story: Story, mixed: Mixed) -> Iterator[Finding]:
    """Yield each slot since the first start that has not exactly one line."""
    lines, step = _lines(story, mixed.name), mixed.seconds
    assert step is not None, "it has slots"
    ready = story.lives[0].ready or story.lives[0].began
    end = story.lives[-1].ended - _END_SECONDS
    # An interval begins with the program, before that is ready; the clock's minutes with the first one after it.
    first = (ready // step + 1) * step if mixed.is_by_clock else lines[0].first if lines else ready
    if not mixed.is_by_clock:
        while first - step > ready:
            first -= step
    covered: Counter[int] = Counter()
    # Rows that jump over slots come last: whatever they jump over has lines of its own.
    for line in sorted(lines, key=lambda line: len(_places(line, first, step)) - line.count):
        places = _places(line, first, step)
        off = max(abs(first + place * step - at) for place, at in ((places[0], line.first), (places[-1], line.last)))
        if len(places) > line.count:
            places = [place for place in places if place in (places[0], places[-1]) or not covered[place]]
        if off > _OFF_SECONDS or len(places) != line.count:
            yield _finding(story, "slots unaccounted", mixed.name, line.first, f"{mixed.name} has a line off its slots")
        covered.update(places)
    for place in range(int((end - first) // step) + 1):
        at = first + place * step
        if covered[place] != 1:
            kind = "slots with two lines" if covered[place] else "slots unaccounted"
            yield _finding(story, kind, mixed.name, at, f"{mixed.name}, slot {at:.3f}")


def _places(line: Line, first: float, step: float) -> list[int]:
    """Return which slots lie between the ends of a line, both included."""
    return list(range(round((line.first - first) / step), round((line.last - first) / step) + 1))


def _regressions(story: Story) -> Iterator[Finding]:
    highest: defaultdict[str, int] = defaultdict(int)
    for mark in story.marks:
        if mark.what == "got" and int(str(mark.said)) < highest[mark.job]:
            what = f"{mark.job} got {mark.said} after {highest[mark.job]} was set"
            yield _finding(story, "store regressions", mark.job, mark.at, what)
            highest[mark.job] = int(str(mark.said))
        elif mark.what == "set":
            highest[mark.job] = max(highest[mark.job], int(str(mark.said)))


def _lines(story: Story, job: str) -> list[Line]:
    return [_line(each) for each in story.history if each["job"] == f"mix.{job}"]


def _line(written: dict[str, object]) -> Line:
    first = _seconds(written["at"])
    last = _seconds(written["until"]) if written.get("until") else first
    return Line(first, last, int(str(written.get("count") or 1)), str(written["verdict"]), written["run"])


def _seconds(written: object) -> float:
    return datetime.fromisoformat(str(written)).timestamp()


def _finding(story: Story, kind: str, job: str, at: float, what: str) -> Finding:
    return Finding(kind, f"{what} (seed {story.seed}, {story.scheduler})", tuple(_around(story, job, at)))


def _around(story: Story, job: str, at: float) -> Iterator[str]:
    """Yield what happened about that time: lives, the job's lines and marks, in the order of time."""
    events: list[tuple[float, str]] = [event for life in story.lives for event in _moments(life)]
    events += [(line.first, str(line)) for line in _lines(story, job)]
    events += [
        (mark.at, f"mark {mark.at:.3f}: {mark.what} {mark.said or ''}") for mark in story.marks if mark.job == job
    ]
    near = sorted(event for event in events if abs(event[0] - at) <= _AROUND_SECONDS)
    yield from _nearest(near, at)


def _moments(life: Life) -> Iterator[tuple[float, str]]:
    yield life.began, f"life {life.number} begins {life.began:.3f}"
    if life.ready is not None:
        yield life.ready, f"life {life.number} is ready {life.ready:.3f}"
    yield life.ended, f"life {life.number} ends {life.ended:.3f} ({life.how})"


def _nearest(events: Sequence[tuple[float, str]], at: float) -> Iterable[str]:
    chosen = sorted(events, key=lambda event: abs(event[0] - at))[:_MOST_TOLD]
    return [text for _, text in sorted(chosen)]
