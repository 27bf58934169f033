"""What is acknowledged is on its way."""

from __future__ import annotations

from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from tests.fakes.chat_rig import OPS, ChatRig, command


def test_what_is_acknowledged_is_already_known_to_go_on() -> None:
    """Else a terminal whose last line is taken ends the program before that is decided on."""
    rig = ChatRig(command("deploy"))
    by = Identity("slack", "T1", "ann", "ann")
    asked = AskedCommand(("1",), rig.clock.now(), by, ReplyTo(OPS, "1"), "deploy", "slack.socket")
    busy: list[bool] = []
    rig.engine.handle(asked, lambda: busy.append(rig.runner.is_busy))

    assert busy == [True]
