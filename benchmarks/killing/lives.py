"""Start the program, kill it, start it again: a row of lives of one project, and when each of them ended."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.killing.mix import plugin
from benchmarks.process import Process
from benchmarks.site import Site, site
from benchmarks.slack import Slack
from benchmarks.subjects import product

#: What Slack does with a part of the posts in a life: nothing, an error, a cut before or after the message is taken.
_FAULTS = (None, None, None, None, (500, 0.2), (429, 0.1), (0, 0.2), (-1, 0.2))
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.0005
#: Of a life that is left alone at the end, so that whatever was left is done.
_LAST_SECONDS = 2.5
_FIRST_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a function wrote down."""

    life: int
    at: float
    job: str
    what: str
    said: object


@dataclass(slots=True)
class Life:
    """From the start of a process to its end, by the clock."""

    number: int
    began: float
    how: str
    #: When its clock ran; None: it was killed before.
    ready: float | None = None
    ended: float = 0.0

    def __str__(self) -> str:
        """Return how it went, in seconds since the epoch as the marks have them."""
        ready = f"ready {self.ready:.3f}" if self.ready else "never ready"
        return f"life {self.number}: begun {self.began:.3f}, {ready}, ended {self.ended:.3f} ({self.how})"


@dataclass(slots=True)
class Story:
    """All that is known of one project when its last life is over."""

    seed: int
    scheduler: str
    lives: list[Life] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    history: list[dict[str, object]] = field(default_factory=list)
    failed_starts: list[str] = field(default_factory=list)
    corrupted: list[str] = field(default_factory=list)
    #: What the program said about faults of its own.
    tracebacks: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return len(self.lives) - 1


def perform(scheduler: str, seed: int, kills: int, *, last_seconds: float = _LAST_SECONDS) -> Story:
    """Kill the program so often, let it end in order at last, and return what is known then."""
    story = Story(seed, scheduler)
    with Slack() as slack, site(url=slack.url) as place:
        slack.chance.seed(seed)
        (place.folder / "plugins" / "mix.py").write_text(plugin(), encoding="utf-8")
        rounds = _Rounds(story, place, slack, random.Random(seed))
        rounds.kill(kills)
        rounds.end(last_seconds)
        story.received = [text for _, text in slack.received]
        story.history = list(place.history(product()))
        story.marks = [mark for life in story.lives for mark in _progress(place, life.number)]
    return story


class _Rounds:
    """The lives of one project."""

    def __init__(self, story: Story, place: Site, slack: Slack, chance: random.Random) -> None:
        self._story = story
        self._place = place
        self._slack = slack
        self._chance = chance

    def kill(self, times: int) -> None:
        for number in range(times):
            self._slack.fault = self._chance.choice(_FAULTS)
            self._slack.delay_seconds = self._chance.choice((0.0, 0.0, 0.03))
            process, life = self._begin(number)
            self._wait_for_its_moment(process, life)
            process.kill()
            life.ended = time.time()
            self._look_at_errors(process, life)
            if number % 5 == 4:  # Not each time: who looks puts in order what the kill left.
                self._look_at_database(str(life))
            time.sleep(self._pause())

    def end(self, seconds: float) -> None:
        self._slack.fault, self._slack.delay_seconds = None, 0.0
        process, life = self._begin(len(self._story.lives))
        life.how = "ended in order"
        self._await_ready(process, life)
        time.sleep(seconds)
        life.ended = time.time()
        process.stop()
        self._look_at_errors(process, life)
        self._look_at_database("at the end")

    def _begin(self, number: int) -> tuple[Process, Life]:
        environment = {"BENCH_TRUTH": str(_truth(self._place, number))}
        life = Life(number, time.time(), "")
        self._story.lives.append(life)
        return self._place.begin(product(environment), self._story.scheduler), life

    def _wait_for_its_moment(self, process: Process, life: Life) -> None:
        """Wait until it is to be killed: anywhere, while it starts, just after that, or beside what a function does."""
        chance = self._chance
        way = chance.choice(("anywhere", "starting", "just started", "beside a mark", "beside a mark"))
        life.how = f"killed: {way}"
        if life.number == 0:  # What was never written down cannot be accounted for.
            self._await_ready(process, life)
            time.sleep(_FIRST_SECONDS)
        elif way == "starting":
            time.sleep(chance.uniform(0, 0.4))
            return
        else:
            self._await_ready(process, life)
        if way == "anywhere":
            time.sleep(chance.uniform(0, 0.9))
        elif way == "just started":
            time.sleep(chance.choice((0.0, chance.uniform(0, 0.15))))
        elif way == "beside a mark":
            time.sleep(chance.uniform(0, 0.6))
            self._await_mark(life)
            time.sleep(chance.choice((0.0, chance.uniform(0, 0.001), chance.uniform(0, 0.02))))

    def _await_ready(self, process: Process, life: Life) -> None:
        try:
            process.wait_for(product().ready, _PATIENCE_SECONDS)
            life.ready = time.time()
        except RuntimeError as error:
            self._story.failed_starts.append(f"{life}: {error}")

    def _await_mark(self, life: Life) -> None:
        """Wait until a function writes something down."""
        file, until = _truth(self._place, life.number), time.monotonic() + 1
        before = _size(file)
        while _size(file) == before and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def _pause(self) -> float:
        chance = self._chance
        return chance.choice(
            (0.0, 0.0, 0.0, 0.05, chance.uniform(0, 0.4), chance.uniform(0, 0.4), chance.uniform(0, 4))
        )

    def _look_at_errors(self, process: Process, life: Life) -> None:
        _, found, rest = process.errors.partition("Traceback")
        if found:
            self._story.tracebacks.append(f"{life}: {found}{rest[:1500]}")

    def _look_at_database(self, when: str) -> None:
        database = self._place.folder / ".slack_alert" / "state.db"
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            self._story.corrupted.append(f"{when}: {found}")


def _truth(place: Site, number: int) -> Path:
    return place.folder / f"truth_{number}"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _progress(place: Site, number: int) -> Iterator[Mark]:
    file = _truth(place, number)
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            at, job, what, said = json.loads(line)
            yield Mark(number, at, job, what, said)
