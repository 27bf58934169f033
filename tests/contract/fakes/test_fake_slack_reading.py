"""The fake Slack shows channels, people, threads and files as Slack does: slack_sdk drives it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_callers import JSON, METADATA, client, error_of, refused


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def test_history_is_newest_first_and_shows_metadata_only_when_asked(slack: FakeSlack) -> None:
    slack.say("ops", "first", user="U0ANN")
    client(slack).chat_postMessage(channel="C0OPS", text="second", metadata=METADATA)

    bare = client(slack).conversations_history(channel="C0OPS")["messages"]
    full = client(slack).conversations_history(channel="C0OPS", include_all_metadata=True)["messages"]

    assert [message["text"] for message in bare] == ["second", "first"]
    assert [message.get("metadata") for message in bare] == [None, None]
    assert [message.get("metadata") for message in full] == [METADATA, None]


@pytest.mark.parametrize(
    ("bounds", "texts"),
    [
        ({"oldest": 1}, ["2"]),
        ({"oldest": 1, "inclusive": True}, ["2", "1"]),
        ({"latest": 1}, ["0"]),
        ({"latest": 1, "inclusive": True}, ["1", "0"]),
        ({"oldest": 0, "latest": 2}, ["1"]),
        ({"limit": 2}, ["2", "1"]),
    ],
)
def test_history_has_bounds(slack: FakeSlack, bounds: dict[str, int], texts: list[str]) -> None:
    stamps = [client(slack).chat_postMessage(channel="C0OPS", text=str(number))["ts"] for number in range(3)]
    given: dict[str, Any] = {  # Any: a bound is a stamp, a number or a flag
        name: stamps[value] if name in ("oldest", "latest") else value for name, value in bounds.items()
    }

    answer = client(slack).conversations_history(channel="C0OPS", **given)

    assert [message["text"] for message in answer["messages"]] == texts


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0OPS", "oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"channel": "C0OPS", "cursor": "?"}, "invalid_cursor"),
        ({"channel": "C0OPEN"}, "not_in_channel"),
        ({"channel": "ops"}, "channel_not_found"),
    ],
)
def test_history_slack_refuses_is_refused(slack: FakeSlack, arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client(slack).conversations_history(**arguments)

    assert caught.value.response["error"] == error


def test_reading_methods_ignore_a_json_body(slack: FakeSlack) -> None:
    assert error_of(slack, "conversations.history", body='{"channel": "C0OPS"}', headers=JSON) == "invalid_arguments"


def test_pages_end_with_an_empty_cursor(slack: FakeSlack) -> None:
    pages = [
        dict(page.data) for page in client(slack).conversations_list(limit=4, types="public_channel,private_channel")
    ]

    assert [[channel["name"] for channel in page["channels"]] for page in pages] == [
        ["ops", "test", "errors", "old"],
        ["open", "team"],
    ]
    assert pages[0]["response_metadata"]["next_cursor"]
    assert pages[1]["response_metadata"]["next_cursor"] == ""


@pytest.mark.parametrize(
    ("types", "names"),
    [("public_channel", ["ops", "test", "errors", "old", "open"]), ("private_channel", ["team"]), ("im", [])],
)
def test_channels_are_listed_by_type(slack: FakeSlack, types: str, names: list[str]) -> None:
    answer = client(slack).conversations_list(types=types)

    assert [channel["name"] for channel in answer["channels"]] == names


def test_people_are_listed_page_by_page(slack: FakeSlack) -> None:
    names = [member["name"] for page in client(slack).users_list(limit=1) for member in page["members"]]

    assert names == ["ann", "bob"]
    assert len(slack.requests) == 2


def test_a_thread_holds_its_replies_and_the_channel_does_not(slack: FakeSlack) -> None:
    parent = client(slack).chat_postMessage(channel="C0OPS", text="parent")["ts"]
    client(slack).chat_postMessage(channel="C0OPS", text="reply", thread_ts=parent)

    thread = client(slack).conversations_replies(channel="C0OPS", ts=parent)["messages"]
    channel = client(slack).conversations_history(channel="C0OPS")["messages"]

    assert [message["text"] for message in thread] == ["parent", "reply"]
    assert [(message["text"], message["reply_count"]) for message in channel] == [("parent", 1)]


def test_a_thread_begins_with_its_first_message_wherever_the_bounds_are(slack: FakeSlack) -> None:
    parent = client(slack).chat_postMessage(channel="C0OPS", text="parent")["ts"]
    stamps = [
        client(slack).chat_postMessage(channel="C0OPS", text=text, thread_ts=parent, metadata=METADATA)["ts"]
        for text in ("one", "two")
    ]

    thread = client(slack).conversations_replies(
        channel="C0OPS", ts=parent, oldest=stamps[0], include_all_metadata=True
    )["messages"]

    assert [(message["text"], message.get("metadata")) for message in thread] == [("parent", None), ("two", METADATA)]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0OPS"}, "invalid_arguments"),
        ({"channel": "C0OPS", "ts": "1.000001"}, "thread_not_found"),
        ({"channel": "C0OPEN", "ts": "1.000001"}, "not_in_channel"),
    ],
)
def test_a_thread_slack_refuses_is_refused(slack: FakeSlack, arguments: dict[str, str], error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client(slack).api_call("conversations.replies", data=arguments)

    assert caught.value.response["error"] == error


def test_direct_conversation_is_opened_once(slack: FakeSlack) -> None:
    first = client(slack).conversations_open(users="U0ANN")
    again = client(slack).conversations_open(users=["U0ANN"])

    assert (first["channel"]["id"], again["channel"]["id"]) == ("D0ANN", "D0ANN")
    assert again["already_open"] is True


def test_upload_takes_three_steps(slack: FakeSlack) -> None:
    answer = client(slack).files_upload_v2(
        content="line\n" * 10, filename="log.txt", channel="C0OPS", initial_comment="the log"
    )

    [upload] = slack.uploads
    assert (upload.content, upload.channel, answer["files"][0]["id"]) == (b"line\n" * 10, "C0OPS", upload.id)
    assert [(message.text, message.files) for message in slack.messages] == [("the log", ("log.txt",))]
    assert [request.method for request in slack.requests] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("#ops", "invalid_channel"), ("U0ANN", "invalid_channel"), ("C0NONE", "channel_not_found")],
)
def test_a_file_goes_to_a_channel_id_only(slack: FakeSlack, channel: str, error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client(slack).files_upload_v2(content="x", filename="log.txt", channel=channel)

    assert caught.value.response["error"] == error
    assert slack.messages == []


def test_a_file_without_its_bytes_cannot_be_completed(slack: FakeSlack) -> None:
    file = client(slack).files_getUploadURLExternal(filename="log.txt", length=3)

    status = asyncio.run(_put(file["upload_url"], b"four"))

    answer = refused(slack, "files.completeUploadExternal", files=[{"id": file["file_id"]}], channel_id="C0OPS")
    assert (status, answer["error"]) == (400, "file_not_found")


async def _put(url: str, content: bytes) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=content) as answer:
        return answer.status


def test_asynchronous_client_uploads_too(slack: FakeSlack) -> None:
    async def upload() -> None:
        async with aiohttp.ClientSession() as session:
            web = AsyncWebClient("xoxb-test", base_url=slack.url, session=session, retry_handlers=[])
            await web.files_upload_v2(content="line", filename="log.txt", channel="C0OPS")

    asyncio.run(upload())

    assert [(file.content, file.channel) for file in slack.uploads] == [(b"line", "C0OPS")]
