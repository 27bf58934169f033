"""Write into the stories what is said now: `python -m tests.transcripts.refresh`."""

from __future__ import annotations

from slack_alert.testing import chat
from tests.transcripts.test_transcripts import FOLDER, STORIES

if __name__ == "__main__":
    for story in STORIES:
        with chat() as room:
            room.load(FOLDER / "plugins" / "ops.py")
            story.write_text(room.perform(story.read_text(encoding="utf-8")), encoding="utf-8")
