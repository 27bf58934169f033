"""The fake Slack takes and refuses messages as Slack does: slack_sdk, which is not ours, drives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_callers import METADATA, client, refused, section
from tests.fakes.slack_rules import BLOCKS_SIZE_LIMIT, TEXT_LIMIT, UPDATE_TEXT_LIMIT
from tests.fakes.slack_workspace import ALL_SCOPES


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def test_post_is_accepted_and_answered_in_slacks_shape(slack: FakeSlack) -> None:
    answer = client(slack).chat_postMessage(
        channel="C0OPS", text="disk full", blocks=[section("*disk full*")], metadata=METADATA
    )

    [posted] = slack.messages
    assert (posted.channel, posted.text, posted.metadata) == ("C0OPS", "disk full", METADATA)
    assert (answer["ok"], answer["channel"], answer["ts"]) == (True, "C0OPS", posted.ts)
    assert answer["message"]["metadata"] == METADATA
    assert slack.unknown_arguments == []


@pytest.mark.parametrize(
    ("written", "channel"),
    [("C0OPS", "C0OPS"), ("#ops", "C0OPS"), ("ops", "C0OPS"), ("U0ANN", "D0ANN"), ("G0TEAM", "G0TEAM")],
)
def test_channel_is_an_id_a_name_or_a_person(slack: FakeSlack, written: str, channel: str) -> None:
    answer = client(slack).chat_postMessage(channel=written, text="hello")

    assert answer["channel"] == channel


def test_timestamps_are_unique_and_increase(slack: FakeSlack) -> None:
    stamps = [client(slack).chat_postMessage(channel="C0OPS", text=str(number))["ts"] for number in range(5)]

    assert stamps == sorted(set(stamps), key=float)
    assert all(len(stamp.partition(".")[2]) == 6 for stamp in stamps)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NONE", "text": "x"}, "channel_not_found"),
        ({"channel": "U0NOBODY", "text": "x"}, "channel_not_found"),
        ({"channel": "C0OLD", "text": "x"}, "is_archived"),
        ({"channel": "G0SECRET", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "invalid_arguments"),
        ({"channel": "C0OPS"}, "no_text"),
        ({"channel": "C0OPS", "text": " "}, "no_text"),
        ({"channel": "C0OPS", "text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": "C0OPS", "text": "x", "blocks": [section("a")] * 51}, "invalid_blocks"),
        ({"channel": "C0OPS", "text": "x", "blocks": [section("a" * 3_001)]}, "invalid_blocks"),
        ({"channel": "C0OPS", "text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"channel": "C0OPS", "text": "x", "blocks": [{"type": "sektion"}]}, "invalid_blocks"),
        ({"channel": "C0OPS", "text": "x", "blocks": [{**section("a"), "colour": "red"}]}, "invalid_blocks"),
        (
            {"channel": "C0OPS", "text": "x", "blocks": [section("a" * 3_000)] * (BLOCKS_SIZE_LIMIT // 3_000 + 1)},
            "msg_blocks_too_long",
        ),
        ({"channel": "C0OPS", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": "C0OPS", "text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"channel": "C0OPS", "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"channel": "C0OPS", "text": "x", "metadata": {"id": "1"}}, "invalid_metadata_format"),
        (
            {"channel": "C0OPS", "text": "x", "metadata": {"event_type": "a", "event_payload": {"b": None}}},
            "invalid_metadata_schema",
        ),
        (
            {"channel": "C0OPS", "text": "x", "metadata": {"event_type": "a", "event_payload": {"b": "c" * 20_000}}},
            "metadata_too_large",
        ),
    ],
)
def test_what_slack_refuses_is_refused_and_not_posted(
    slack: FakeSlack, arguments: dict[str, object], error: str
) -> None:
    assert refused(slack, "chat.postMessage", **arguments)["error"] == error
    assert slack.messages == []


def test_invalid_blocks_say_where(slack: FakeSlack) -> None:
    answer = refused(slack, "chat.postMessage", channel="C0OPS", text="x", blocks=[section("a" * 3_001)])

    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


def test_text_beyond_the_limit_is_cut_with_a_warning(slack: FakeSlack) -> None:
    answer = client(slack).chat_postMessage(channel="C0OPS", text="x" * (TEXT_LIMIT + 1))

    assert answer["warning"] == "message_truncated"
    assert len(slack.messages[0].text) == TEXT_LIMIT


def test_a_public_channel_not_joined_needs_the_public_scope() -> None:
    with FakeSlack() as slack:
        client(slack).chat_postMessage(channel="C0OPEN", text="x")
    with FakeSlack(scopes=ALL_SCOPES - {"chat:write.public"}) as slack:
        answer = refused(slack, "chat.postMessage", channel="C0OPEN", text="x")

    assert answer["error"] == "not_in_channel"


def test_another_name_or_icon_needs_its_scope() -> None:
    with FakeSlack(scopes=["chat:write"]) as slack:
        answer = refused(slack, "chat.postMessage", channel="C0OPS", text="x", username="Disk")

    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write.customize",
        "chat:write",
    )


def test_icon_emoji_overrides_icon_url(slack: FakeSlack) -> None:
    answer = client(slack).chat_postMessage(
        channel="C0OPS", text="x", username="Disk", icon_emoji=":fire:", icon_url="https://example.com/i.png"
    )

    assert answer["message"]["icons"] == {"emoji": ":fire:"}
    assert answer["message"]["username"] == "Disk"


def test_unknown_arguments_are_remembered(slack: FakeSlack) -> None:
    client(slack).api_call("chat.postMessage", json={"channel": "C0OPS", "text": "x", "client_msg_id": "1"})

    assert slack.unknown_arguments == [("chat.postMessage", "client_msg_id")]


def test_own_message_is_edited_in_place(slack: FakeSlack) -> None:
    posted = client(slack).chat_postMessage(channel="C0OPS", text="x", blocks=[section("x")], metadata=METADATA)

    client(slack).chat_update(channel="C0OPS", ts=posted["ts"], text="y")

    [message] = slack.messages
    assert (message.text, message.blocks, message.metadata, message.edited) == ("y", None, METADATA, True)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"ts": "1.000000"}, "message_not_found"),
        ({"channel": "ops"}, "channel_not_found"),
        ({"text": "x" * (UPDATE_TEXT_LIMIT + 1)}, "msg_too_long"),
        ({"text": ""}, "no_text"),
    ],
)
def test_update_slack_refuses_is_refused(slack: FakeSlack, changes: dict[str, str], error: str) -> None:
    ts = client(slack).chat_postMessage(channel="C0OPS", text="x")["ts"]

    assert refused(slack, "chat.update", **{"channel": "C0OPS", "ts": ts, "text": "y", **changes})["error"] == error


def test_the_message_of_a_person_cannot_be_edited(slack: FakeSlack) -> None:
    message = slack.say("ops", "hello", user="U0ANN")

    answer = refused(slack, "chat.update", channel="C0OPS", ts=message.ts, text="y")

    assert answer["error"] == "cant_update_message"
