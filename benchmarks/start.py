"""How long it takes to answer `--version`, and to have the clock running with 10,000 functions in 1,000 files."""

from __future__ import annotations

import compileall
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.report import Options, Row, main, medians
from benchmarks.site import IDLE, Jobs, Site, site
from benchmarks.subjects import Subject, original, product

#: A single start is short, so each round takes several.
_STARTS = 5
_PRODUCT = Path(__file__).parents[1] / "slack_alert"


def rows(options: Options) -> Iterator[Row]:
    """Compare with the original."""
    compileall.compile_dir(str(_PRODUCT), quiet=2)  # As pip did with the other one.
    if options.only in "--version":
        yield _version(options)
    if options.only in "10,000 functions":
        yield from _load(options)


def _version(options: Options) -> Row:
    measures = {subject.name: partial(_version_seconds, subject) for subject in (product(), original())}
    ours, theirs = medians(measures, options.rounds * _STARTS).values()
    return Row("--version, wall, vs original", ours / theirs, 0.6, f"{ours:.3f} s, {theirs:.3f} s")


def _version_seconds(subject: Subject) -> float:
    began = time.monotonic()
    subprocess.run((*subject.words, "--version"), check=True, capture_output=True)
    return time.monotonic() - began


def _load(options: Options) -> Iterator[Row]:
    many = Jobs(10_000, body=IDLE, every="hours=1", per_file=10)
    first: dict[str, float] = {}
    again: dict[str, float] = {}
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.rounds):
        for subject in (product(), original()):
            with site(many) as place:
                starts = [_ready_seconds(place, subject, options.scheduler) for _ in range(2)]
            found.setdefault(subject.name, []).append((starts[0], starts[1]))
    for name, pairs in found.items():
        ordered = [sorted(times) for times in zip(*pairs, strict=True)]
        first[name], again[name] = (times[len(times) // 2] for times in ordered)
    for what, figures, bar in (("first time", first, 0.6), ("again, unchanged", again, 0.35)):
        ours, theirs = figures.values()
        yield Row(f"10,000 functions, {what}, vs original", ours / theirs, bar, f"{ours:.2f} s, {theirs:.2f} s")


def _ready_seconds(place: Site, subject: Subject, scheduler: str) -> float:
    process = place.begin(subject, scheduler)
    try:
        return process.wait_for(subject.ready, seconds=120)
    finally:
        process.stop()


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
