"""Whatever somebody types, or a function raises, our answers call nobody and begin no other bot's command."""

from __future__ import annotations

import pytest

from slack_alert.core.content.pieces import Text
from tests.fakes.chat_rig import ChatRig, command, text_parameter

HOSTILE = [
    "!deploy shop prod", "/deploy x", "<!channel>", "<!here> `$(rm -rf /)`", "<@U0BOB> deploy", "--help",
    "a\n!deploy b", "'; rm -rf / #", "“!deploy", "../../etc/passwd", "<https://example.com|click>",
]  # fmt: skip
STATES = ("done", "failed", "not run", "queued", "running", "canceled", "denied")


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_answers_begin_with_a_word_of_ours_and_call_nobody(hostile: str) -> None:
    rig = ChatRig(command("say", parameters=(text_parameter("text"),)))
    rig.says(hostile, "say x")
    rig.executor.end(1, error=hostile)
    rig.says("ann", f'"{hostile}"')
    rig.says("ann", f'say x "{hostile}"')
    rig.says("ann", hostile)

    texts = [each.message.piece.text for each in rig.store.deliveries() if isinstance(each.message.piece, Text)]
    assert len(texts) == 4
    assert all(text.startswith(STATES) for text in texts), texts
    assert not [text for text in texts if "<!" in text or "<@" in text], texts
    assert not [line for text in texts for line in text.splitlines() if line.startswith(("!", "/"))], texts
