"""Compare what a page shows with what was printed: times, spans and places of this machine aside."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from tests.docs.book import ROOT

_PYTHON, _PACKAGES = "/srv/venv/bin/python", "/srv/venv/lib/python3.12/site-packages"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How one command's output is compared; a line `...` in a page stands for any number of lines."""

    place: str
    shown: str
    #: False: the times are part of what the page says.
    is_timeless: bool = True

    def agrees(self, page: str, printed: str) -> bool:
        """Return whether a page shows what was printed."""
        return re.fullmatch(self._pattern(page), self.normal(printed)) is not None

    def normal(self, text: str) -> str:
        """Take out what differs from run to run."""
        text = self.for_page(text)
        for pattern, stands_for in [*(_TIMES if self.is_timeless else ()), *_OTHERS]:
            text = pattern.sub(stands_for, text)
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines())

    def for_page(self, text: str) -> str:
        """Put in what readers see in the place of this machine's own."""
        for here, there in (self.place, self.shown), (sys.executable, _PYTHON), (str(ROOT), _PACKAGES):
            text = text.replace(here, there)
        return re.sub(r"http://127\.0\.0\.1:\d+", "https://example.slack.com", text)

    def _pattern(self, page: str) -> str:
        return "".join(
            "(?:.*\n)*?" if line == "..." else re.escape(f"{line}\n") for line in self.normal(page).splitlines()
        )


_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIMES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(rf"(?:{_DAY} )?\b\d\d:\d\d(?::\d\d)?\b"), "TIME"),
)
_SPAN = r"(?:\d+(?:\.\d+)? (?:ms|s|min|h|d)|a moment)"
_OTHERS = (
    (re.compile(rf"\b(?:in )?{_SPAN}(?: {_SPAN})?\b"), "SPAN"),
    (re.compile(r"TIME now"), "TIME SPAN"),
    (re.compile(r'("(?:duration|pid)": )[\d.e-]+'), r"\1N"),
    (re.compile(r"\bprocess \d+"), "process N"),
    (re.compile(r"\b\d+\.\d+\.\d+\b"), "VERSION"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "KEY"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "HASH"),
    # Marks in a traceback, which every Python sets in its own way.
    (re.compile(r"^ *[~^]+\n", re.MULTILINE), ""),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"[ \t]+"), " "),
)
