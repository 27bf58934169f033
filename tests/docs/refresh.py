"""Rewrite what the pages show after each command: `python -m tests.docs.refresh docs/tutorial.md`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from tests.docs.book import Page
from tests.docs.performance import performed


def refresh(page: Page) -> None:
    """Run the page and write down what is printed now, where the page says something else."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        played = list(performed(page, Path(folder), patch))
    text = page.text
    for block, now in reversed(played):
        text = text[: block.start] + now + text[block.start + len(block.text) :]
    page.path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Page(Path(name).resolve()))
