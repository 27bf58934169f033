"""How many files of the program a slot passes through that speaks, from the scheduler's call to Slack's answer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.notes import Notes
from benchmarks.report import Options, Row, main
from benchmarks.site import SPEAKING, Jobs, site
from benchmarks.slack import Slack
from benchmarks.subjects import product

_LONGEST_SECONDS = 60


def rows(options: Options) -> Iterator[Row]:
    """Count them; each file is named with its functions on standard error."""
    passed = files(options.scheduler)
    print(*passed, sep="\n", file=sys.stderr)
    handed = [line for line in passed if line.startswith("*")]
    yield Row("files that a speaking slot passes through", len(handed), 30, "with a star on standard error")
    yield Row("files called meanwhile", len(passed), None, "all of these")


def files(scheduler: str) -> list[str]:
    """Return the files with the functions called in each, and a star before those that the slot passes through."""
    with Slack() as slack, site(Jobs(1, SPEAKING, "seconds=1"), url=slack.url) as place:
        out = place.folder / "trip.txt"
        place.notes.append(Notes(place.folder / "notes"))
        traced = replace(product(), words=(sys.executable, "-m", "trace_trip", str(out)))
        command, environment = traced.command(place.folder, scheduler), place.environment(traced)
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=_LONGEST_SECONDS)
        return out.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    sys.exit(main(rows, __doc__))
