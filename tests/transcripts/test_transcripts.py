"""Stories that people can read, played through the kit; `python -m tests.transcripts.refresh` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.testing import ChatRehearsal

FOLDER = Path(__file__).parent
STORIES = sorted(FOLDER.glob("*.txt"))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_it_goes_as_it_is_written(story: Path, chat: ChatRehearsal) -> None:
    chat.load(FOLDER / "plugins" / "ops.py")
    text = story.read_text(encoding="utf-8")

    assert chat.perform(text) == text


def test_there_are_stories() -> None:
    assert len(STORIES) > 5
