"""What every benchmark takes and gives: options, rows, medians of interleaved rounds, the printed table."""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

SCHEDULERS = ("AsyncIOScheduler", "BackgroundScheduler", "GeventScheduler", "TornadoScheduler")


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: the defaults are those of the published table."""

    rounds: int = 3
    seconds: float = 8.0
    schedulers: tuple[str, ...] = SCHEDULERS
    #: Functions, or messages, of a benchmark that does not fix their number.
    jobs: int = 1000
    #: Rows whose names do not contain this are left out.
    only: str = ""
    #: How often a program is killed, where that is what is tried, and what chooses the moments.
    kills: int = 1000
    seed: int = 1

    @property
    def scheduler(self) -> str:
        """The one for benchmarks that are about something else."""
        return self.schedulers[0]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure and the bar it is held to; `bar` None is a figure to look at."""

    name: str
    figure: float
    bar: float | None
    #: The figures behind it.
    detail: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        if self.bar is None:
            return True
        return self.figure >= self.bar if self.is_floor else self.figure <= self.bar

    def __str__(self) -> str:
        """Return a line of the printed table."""
        must = "" if self.bar is None else f"{'>=' if self.is_floor else '<='} {self.bar:g}"
        met = "" if self.bar is None else ("met" if self.is_met else "MISSED")
        return f"{self.name:<58} {self.figure:>8.3g} {must:>9} {met:<6} {self.detail}"


Rows = Callable[[Options], Iterator[Row]]
_DEFAULTS = Options()


def medians(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Measure each once a round, in turn, so that what else the machine does falls on all of them alike."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return {name: median(figures) for name, figures in found.items()}


def main(rows: Rows, description: str | None) -> int:
    """Run one benchmark from the command line; exit 1 where a bar was missed."""
    parser = parser_for(description)
    given = parser.parse_args()
    return 0 if publish(rows(options(given)), given.json) else 1


def parser_for(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, help=f"({_DEFAULTS.rounds}; of kills {_DEFAULTS.kills})")
    parser.add_argument("--seconds", type=float, default=_DEFAULTS.seconds, help="how long each process is watched")
    parser.add_argument("--scheduler", action="append", choices=SCHEDULERS, help="may be given several times")
    parser.add_argument("--jobs", type=int, default=_DEFAULTS.jobs)
    parser.add_argument("--only", default="", help="a part of the rows' names")
    parser.add_argument("--seed", type=int, default=_DEFAULTS.seed, help="what chooses the moments of kills")
    parser.add_argument("--json", type=Path, help="a file to append a line for each row to")
    return parser


def options(given: argparse.Namespace) -> Options:
    return Options(
        given.rounds or _DEFAULTS.rounds,
        given.seconds,
        tuple(given.scheduler or SCHEDULERS),
        given.jobs,
        given.only,
        given.rounds or _DEFAULTS.kills,
        given.seed,
    )


def publish(rows: Iterator[Row], file: Path | None) -> bool:
    """Print rows as they come, and keep them; say whether all bars were met."""
    is_met = True
    for row in rows:
        print(row, flush=True)
        is_met &= row.is_met
        if file is not None:
            _append(row, file)
    return is_met


def _append(row: Row, file: Path) -> None:
    where = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "python": platform.python_version()}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({**where, **asdict(row), "is_met": row.is_met}) + "\n")
