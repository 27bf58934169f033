"""Any alert with buttons becomes blocks that Slack takes, or none."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from slack_alert.channels.slack.buttons import blocks_with_buttons, value_of
from slack_alert.core.commands.words import split_line
from slack_alert.core.content.markup import Markup, visible
from slack_alert.core.content.pieces import LIMIT, Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Button, Message
from tests.fakes.slack_rules import check_blocks

MARK = Markup("4711")
PARTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["```\n", "`", "<", ">", "&", "\n" * 50, " " * 3_000, "x" * 2_900, "@here", "#ops", "https://a.b/c?d=e&f"]
    ),
    st.integers(0, 3_100).map(lambda size: f"http://a.b/{'c' * size}"),
    st.integers(0, 2_980).map(lambda size: MARK.link(f"http://a.b/{'c' * size}", "there")),
    st.just(MARK.mention("@ann")),
)
TEXTS = st.lists(PARTS, max_size=12).map("".join).map(MARK.escape)
#: A name is the path of a file, and 200 characters.
NAMES = st.one_of(st.text(min_size=1, max_size=600), st.just("x" * 2_001))


@given(TEXTS, NAMES)
@example("http://a.b/" + "c" * 3_000, "disk")
def test_blocks_are_within_the_limits_and_read_as_the_text(text: str, name: str) -> None:
    buttons = (Button("Acknowledge", "ack", name), Button("Mute 1 h", "mute", name, "for 1h"))
    message = Message(f"key/{name}", Address("slack", "#ops"), Text(text[:LIMIT]), buttons=buttons)
    blocks = blocks_with_buttons(message, text[:LIMIT])

    if blocks is None:
        return
    check_blocks(blocks)
    shown = [block["text"]["text"] for block in blocks[:-1]]  # type: ignore[index]
    assert _letters("".join(shown)) == _letters(text[:LIMIT])


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200))
@example("db.the lag")
@example('db."x" for 1h')
@example("db.<@U1> &amp;")
def test_a_name_of_any_kind_is_one_word_of_the_line(name: str) -> None:
    assert split_line(value_of(Button("Mute 1 h", "mute", name, "for 1h"))) == [name, "for", "1h"]


def _letters(text: str) -> str:
    """Return what people read, but for what a cut changes: spaces, and fences that are closed and opened again."""
    return "".join(visible(text).replace("```", "").split())
