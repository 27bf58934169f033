"""How long `simulate` takes for a month of 100 jobs that run every five minutes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.report import Options, Row, main, medians
from benchmarks.site import IDLE, Jobs, site
from benchmarks.subjects import product

_JOBS = 100
_MONTH = ("--since", "2026-11-01", "--until", "2026-12-01")


def rows(options: Options) -> Iterator[Row]:
    """Hold it to ten seconds, with the limit on alerts as it is by default."""
    measures: dict[str, Callable[[], float]] = {"limited": _seconds, "unlimited": partial(_seconds, "--max-alert", "0")}
    limited, unlimited = medians(measures, options.rounds).values()
    yield Row("simulate, a month of 100 five-minute jobs, seconds", limited, 10, "every run alerts, default limit")
    yield Row("the same without a limit, seconds", unlimited, None, "864,000 runs, each with a message")


def _seconds(*flags: str) -> float:
    with site(Jobs(_JOBS, IDLE, "minutes=5")) as place:
        where = ("--path", str(place.folder), "--config", str(place.folder / "bench.conf"))
        began = time.monotonic()
        words = (*product().words, "simulate", *where, *flags, *_MONTH, "--json")
        subprocess.run(words, stdout=subprocess.DEVNULL, env=place.environment(product()), check=True)
        return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
