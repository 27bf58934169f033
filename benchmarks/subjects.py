"""What is measured: this program, the slack-alert of 2015, and APScheduler alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.references import APSCHEDULER, ORIGINAL

_HERE = Path(__file__).parent
_PROBE = str(_HERE / "probe")


@dataclass(frozen=True, slots=True)
class Subject:
    """A program that runs the functions in `plugins/`: how it is called, and what it prints when its clock runs."""

    name: str
    words: tuple[str, ...]
    ready: str
    unlimited: str
    environment: Mapping[str, str] = field(default_factory=lambda: {"PYTHONPATH": _PROBE})

    def command(self, folder: Path, scheduler: str) -> tuple[str, ...]:
        """Return the command line; both programs take the same."""
        where = ("--config", str(folder / "bench.conf"), "--path", str(folder), "--scheduler", scheduler)
        return (*self.words, *where, "--max-alert", self.unlimited)


@dataclass(frozen=True, slots=True)
class Raw(Subject):
    """A script that adds the same functions itself, from no files."""

    jobs: int = 0
    #: Seconds from run to run, and seconds that each blocks.
    every: int = 1
    blocks: float = 0.0

    def command(self, folder: Path, scheduler: str) -> tuple[str, ...]:  # noqa: ARG002 - it has no folder
        """Return the command line."""
        return (*self.words, scheduler, str(self.jobs), str(self.every), str(self.blocks))


def product(more: Mapping[str, str] | None = None) -> Subject:
    return Subject(
        "slack-alert",
        (sys.executable, "-m", "slack_alert"),
        "Ctrl+C ends.",
        "0",
        {"PYTHONPATH": f"{_HERE.parent}:{_PROBE}", **(more or {})},
    )


def original() -> Subject:
    script = ORIGINAL.python.with_name("slack-alert")
    words = (str(ORIGINAL.python), str(script))
    paths = f"{_HERE / 'original'}:{_PROBE}"
    return Subject("slack-alert 0.1.5", words, "to exit", "1000000000", {"PYTHONPATH": paths})


def raw(jobs: int, *, every: int = 1, blocks: float = 0.0) -> Subject:
    words = (str(APSCHEDULER.python), str(_HERE / "raw.py"))
    return Raw("APScheduler 3.11", words, "started", "", jobs=jobs, every=every, blocks=blocks)
