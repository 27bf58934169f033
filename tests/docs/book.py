"""Read the pages of the documentation: their fenced blocks, their links, their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. What follows its language is a file's name, or the problem codes it shows."""

    language: str
    note: str
    text: str
    #: Of its opening fence, from 1.
    line: int
    #: Where its text begins in the page.
    start: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command, and what it prints."""

    command: str
    output: str


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below the root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    def blocks(self) -> list[Block]:
        """Find the fenced blocks, in order."""
        return [
            Block(
                match["language"],
                match["note"].strip(),
                match["text"],
                self.text.count("\n", 0, match.start()) + 1,
                match.start("text"),
            )
            for match in _FENCED.finditer(self.text)
        ]

    def prose(self) -> str:
        """Return the page without its fenced blocks."""
        return _FENCED.sub("", self.text)

    def links(self) -> list[str]:
        """Find the targets of links and pictures."""
        return _LINK.findall(self.prose())

    def anchors(self) -> set[str]:
        """Name the headings as links to them do."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose())}


def pages() -> list[Page]:
    """Find every page."""
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [Page(path) for path in (*top, *sorted((ROOT / "docs").rglob("*.md")))]


def exchanges(console: str) -> Iterator[Exchange]:
    """Take a console block apart."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, output = part.replace("\\\n", "").partition("\n")
        yield Exchange(command, output)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


_FENCED = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w*)(?P<note>[^\n]*)\n(?P<text>.*?)^(?P=fence)\n", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
