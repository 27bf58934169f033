"""A message as a channel posts it that cannot do everything."""

from __future__ import annotations

import pytest

from slack_alert.core.content.pieces import Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import EVERYTHING, Capabilities, adapted
from slack_alert.core.model.message import Button, DeliveryMode, Message, Notice
from slack_alert.core.structs import replace

PLAIN = Message("k", Address("x", "y"), Text("late"), Notice("a", "b"))
EDIT = replace(PLAIN, manner=DeliveryMode.EDIT, root="r")
PASSING = replace(EDIT, is_passing=True)
REPLY = replace(PLAIN, manner=DeliveryMode.REPLY, root="r")
BUTTONS = replace(PLAIN, buttons=(Button("Why", "why", "db.lag"),))
FILE = replace(PLAIN, piece=Upload("lag.png", b"x" * 2000, comment="the lag"))
NOTHING = Capabilities(edit=False, thread=False, buttons=False, files=False, mentions=False)


@pytest.mark.parametrize("message", [PLAIN, EDIT, PASSING, REPLY, BUTTONS, FILE])
def test_where_everything_can_be_done_a_message_stays_the_same(message: Message) -> None:
    assert adapted(message, EVERYTHING) is message


@pytest.mark.parametrize(
    ("message", "posted"),
    [
        (PLAIN, PLAIN),
        (EDIT, replace(EDIT, manner=DeliveryMode.POST, root="")),
        (PASSING, None),
        (REPLY, replace(REPLY, manner=DeliveryMode.POST, root="")),
        (BUTTONS, PLAIN),
        (FILE, replace(FILE, piece=Text("lag.png (2 KB)\nthe lag\n_This file is not shown here._"))),
    ],
)
def test_what_cannot_be_done_is_said_in_a_message_or_left_out(message: Message, posted: Message | None) -> None:
    assert adapted(message, NOTHING) == posted
