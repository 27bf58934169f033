"""The programs to compare with, each in an environment of its own: `python -m benchmarks.references` makes them.

`BENCH_ORIGINAL` and `BENCH_APSCHEDULER` name the Python of environments that are there already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reference:
    """An environment: its name, the variable that replaces it, and the pip commands that fill it."""

    name: str
    variable: str
    installs: tuple[tuple[str, ...], ...]

    @property
    def python(self) -> Path:
        """Find its Python; raise `SystemExit` where it was not made."""
        given = os.environ.get(self.variable)
        python = Path(given) if given else _cache() / self.name / "bin" / "python"
        if not python.exists():
            raise SystemExit(f"{python} is not there: run `python -m benchmarks.references`, or set {self.variable}.")
        return python


#: 0.1.5 starts its default scheduler outside a running loop, which APScheduler refuses from 3.11 on.
ORIGINAL = Reference(
    "slack-alert-0.1.5",
    "BENCH_ORIGINAL",
    (
        ("setuptools<81", "wheel"),
        ("APScheduler==3.10.4", "slacker==0.14.0", "requests", "tornado", "gevent"),
        ("--no-deps", "--no-build-isolation", "slack-alert==0.1.5"),
    ),
)
APSCHEDULER = Reference("apscheduler", "BENCH_APSCHEDULER", (("APScheduler>=3.11,<3.12", "tornado", "gevent"),))
#: Bots that take commands from Slack.
ERRBOT = Reference("errbot", "BENCH_ERRBOT", (("errbot==6.2.1", "slack_sdk==3.48.0", "setuptools<81"),))
OPSDROID = Reference(
    "opsdroid", "BENCH_OPSDROID", (("opsdroid==0.31.0", "slack_sdk==3.48.0", "certifi", "emoji", "setuptools<81"),)
)


def make(references: Sequence[Reference] = (ORIGINAL, APSCHEDULER, ERRBOT, OPSDROID)) -> None:
    """Make the environments that are not there yet."""
    for reference in references:
        folder = _cache() / reference.name
        if not (folder / ".complete").exists():
            venv.create(folder, clear=True, with_pip=True)
            for install in reference.installs:
                pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *install)
                subprocess.run(pip, check=True)
            (folder / ".complete").touch()
        print(f"{reference.name}: {folder}")


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "slack-alert-benchmarks" / f"{sys.version_info.major}.{sys.version_info.minor}"


if __name__ == "__main__":
    make()
