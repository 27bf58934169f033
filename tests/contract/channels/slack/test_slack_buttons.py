"""Slack as a channel: messages with buttons, which are shown only where a door takes what is pressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from slack_alert.core.content.pieces import Blocks, Piece, Upload
from slack_alert.core.model.message import Button, Delivery, DeliveryMode
from slack_alert.core.structs import replace
from tests.contract.slack_rig import TOKEN, calls, delivery, sent
from tests.fakes.slack import FakeSlack

BUTTONS = (Button("Acknowledge", "ack", "disk.usage"), Button("Mute 1 h", "mute", "disk.usage", "for 1h"))


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(token=TOKEN) as fake:
        yield fake


def alert(piece: Piece | str, *, buttons: tuple[Button, ...] = BUTTONS, key: str = "alert") -> Delivery:
    one = delivery(piece)
    return replace(one, message=replace(one.message, key=key, buttons=buttons))


def edit(slack: FakeSlack, piece: Piece | str, *, buttons: tuple[Button, ...] = ()) -> None:
    """Post an alert and edit it."""
    (outcome,) = sent(slack, alert("91 %"), has_buttons=True)
    later = alert(piece, buttons=buttons, key="edit")
    later = replace(later, message=replace(later.message, manner=DeliveryMode.EDIT), follows=outcome.receipt)
    sent(slack, later, has_buttons=True)


def shown(blocks: list[dict[str, Any]] | None) -> list[str]:
    """Return what is read in the blocks: texts, and the lines that buttons ask for."""
    read = []
    for block in blocks or []:
        read += [block["text"]["text"]] if "text" in block else []
        read += [f"[{each['action_id']} {each['value']}]" for each in block.get("elements", [])]
    return read


PRESSED = ["[ack disk.usage]", "[mute disk.usage for 1h]"]
OWN: dict[str, object] = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*93 %*"}}]}


@pytest.mark.parametrize(
    ("piece", "read"),
    [
        ("91 % on <https://x.y|db1>", ["91 % on <https://x.y|db1>", *PRESSED]),
        ("see https://x.y/a?b=1&amp;c=2.", ["see <https://x.y/a?b=1&amp;c=2>.", *PRESSED]),
        ("`https://x.y` <https://x.y>", ["`https://x.y` <https://x.y>", *PRESSED]),
        ("for <@ann>", ["for <@U0ANN>", *PRESSED]),
        (Blocks(OWN), ["*93 %*", *PRESSED]),
        (Blocks({"text": "*93 %*"}), ["*93 %*", *PRESSED]),
        (Blocks({"text": "93 %", "attachments": [{"text": "more"}]}), []),
        (Upload("disk.txt", b"93 %"), []),
    ],
)
def test_an_alert_is_shown_with_its_buttons_where_it_has_room_for_them(
    slack: FakeSlack, piece: Piece | str, read: list[str]
) -> None:
    sent(slack, alert(piece), has_buttons=True)

    assert shown(slack.messages[-1].blocks) == read


def test_notifications_and_searches_still_have_the_text(slack: FakeSlack) -> None:
    sent(slack, alert("91 %"), has_buttons=True)

    assert [message.text for message in slack.messages] == ["91 %"]


def test_nothing_is_changed_where_nobody_takes_what_is_pressed(slack: FakeSlack) -> None:
    sent(slack, alert("91 %"), alert("91 %", buttons=()))

    with_buttons, without = calls(slack, "chat.postMessage")
    assert with_buttons == without


def test_a_name_in_a_text_calls_nobody(slack: FakeSlack) -> None:
    sent(slack, alert("@here is a host"), has_buttons=True)

    (section, _) = slack.messages[-1].blocks or []
    assert section["text"]["verbatim"] is True


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "invalid_arguments"])
@pytest.mark.parametrize("piece", ["93 %", Blocks({**OWN, "text": "93 %"})])
def test_what_slack_refuses_with_buttons_is_said_without_them_at_once(
    slack: FakeSlack, piece: Piece | str, code: str
) -> None:
    slack.fault("error", method="chat.postMessage", code=code, times=1 if isinstance(piece, str) else 2)
    (outcome,) = sent(slack, alert(piece), has_buttons=True)

    (message,) = slack.messages
    assert (message.text, message.blocks, outcome.receipt) == ("93 %", None, f"C0OPS/{message.ts}")


def test_an_edit_shows_other_buttons_under_new_ids(slack: FakeSlack) -> None:
    edit(slack, "91 %, taken care of by ann", buttons=BUTTONS[1:])

    (message,) = slack.messages
    posted, edited = calls(slack, "chat.postMessage")[0], calls(slack, "chat.update")[0]
    assert shown(message.blocks) == ["91 %, taken care of by ann", PRESSED[1]]
    assert not {block["block_id"] for block in posted["blocks"]} & {block["block_id"] for block in edited["blocks"]}


@pytest.mark.parametrize("piece", ["ok", Blocks({"text": "ok"})])
def test_an_edit_without_buttons_takes_them_away(slack: FakeSlack, piece: Piece | str) -> None:
    edit(slack, piece)

    assert [(message.text, message.blocks) for message in slack.messages] == [("ok", None)]


def test_an_edit_whose_buttons_slack_refuses_is_made_without_them(slack: FakeSlack) -> None:
    slack.fault("error", method="chat.update", code="invalid_blocks", times=1)
    edit(slack, "92 %", buttons=BUTTONS)

    assert [(message.text, message.blocks) for message in slack.messages] == [("92 %", None)]
