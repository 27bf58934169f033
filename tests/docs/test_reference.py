from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs.generate import DOCS, MADE, MAKERS, made, pages
from slack_alert.cli.main import cli


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    """`python docs/generate.py` brings it up to date."""
    page = path.read_text(encoding="utf-8")

    assert page == made(page)


def test_everything_that_can_be_made_stands_on_a_page() -> None:
    used = [found[2] for path in pages() for found in MADE.finditer(path.read_text(encoding="utf-8"))]

    assert sorted(used) == sorted(MAKERS)


def test_making_replaces_what_was_there() -> None:
    page = "before\n<!-- made: scopes -->\nold\n<!-- end -->\nafter\n"

    assert "old" not in made(page)
    assert re.fullmatch(r"before\n<!-- made: scopes -->\n\n\| scope .*\n<!-- end -->\nafter\n", made(page), re.DOTALL)


@pytest.mark.slow
def test_the_picture_shows_what_the_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """`python docs/images/render.py` draws it anew."""
    cli.main(["demo"], standalone_mode=False)
    picture = ET.parse(DOCS / "images" / "terminal.svg")
    shown = " ".join(text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text"))

    def untimed(text: str) -> list[str]:  # A run takes as long as the machine is busy.
        return re.sub(r"\b0\.\d+s", "0.0s", text).split()

    assert untimed(shown) == untimed(f"$ slack-alert demo {capsys.readouterr().out}")
