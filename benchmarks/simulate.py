"""How long `simulate` takes for a month of 100 jobs that run every five minutes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.report import Options, Row, main, medians
from benchmarks.site import IDLE, Jobs, site
from benchmarks.subjects import product

_JOBS = 100
_MONTH = ("--since", "2026-11-01", "--until", "2026-12-01")


def rows(options: Options) -> Iterator[Row]:
    """Hold it to ten seconds."""
    seconds = medians({"simulate": _seconds}, options.rounds)["simulate"]
    yield Row("simulate, a month of 100 five-minute jobs, seconds", seconds, 10, "every run alerts, no limit")


def _seconds() -> float:
    with site(Jobs(_JOBS, IDLE, "minutes=5")) as place:
        where = ("--path", str(place.folder), "--config", str(place.folder / "bench.conf"), "--max-alert", "0")
        began = time.monotonic()
        words = (*product().words, "simulate", *where, *_MONTH, "--json")
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
