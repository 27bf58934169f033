"""Requests and answers conform to Slack's own types: slack_sdk talks to the fake, and tsc checks the traffic."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from slack_alert.channels.slack.manifest import SlashCommand, manifest
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_types import complaints, typescript, why_not

BLOCKS: list[dict[str, Any]] = [  # Any: JSON
    {"type": "header", "text": {"type": "plain_text", "text": "disk"}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*full*"}},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "job disk.full"}]},
    {"type": "divider"},
]
METADATA = {"event_type": "slack_alert_delivery", "event_payload": {"id": "412"}}
WRONG = {
    "argument.mts": "{channel: 'C0OPS', txt: 'x'} satisfies slack.ChatPostMessageArguments",
    "block.mts": "{channel: 'C0OPS', text: 'x', blocks: [{type: 'section', txt: 'x'}]}"
    " satisfies slack.ChatPostMessageArguments",
    "stamp.mts": "{ok: true, ts: 1} satisfies slack.ChatPostMessageResponse",
    "metadata.mts": "{channel: 'C0OPS', text: 'x', metadata: {event_type: 1}} satisfies slack.ChatPostMessageArguments",
    "answer.mts": "{ok: true, chanel: 'C0OPS'} satisfies slack.ChatPostMessageResponse",
}
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _compiler() -> None:
    reason = why_not()
    if reason is not None and os.environ.get("REQUIRE_NODE"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


def test_the_manifest_fits_the_types_of_slack_which_tell_right_from_wrong(tmp_path: Path) -> None:
    command = SlashCommand("deploy", "Put it there.", "APP")
    written = [manifest([command]), manifest([command], url="https://a.example"), manifest(has_chat=False)]
    wrong = manifest([command]).replace('"should_escape": true', '"should_escape": "yes"', 1)
    files = {
        f"{name}.mts": "import type * as slack from '@slack/web-api';\n"
        f"export const it = {{ manifest: {text} }} satisfies slack.AppsManifestValidateArguments;\n"
        for name, text in [*((f"right{number}", text) for number, text in enumerate(written)), ("wrong", wrong)]
    }

    assert {line.partition("(")[0] for line in complaints(files, tmp_path)} == {"wrong.mts"}


def test_requests_and_answers_fit_the_types_of_slack_which_tell_right_from_wrong(tmp_path: Path) -> None:
    with FakeSlack() as slack:
        _talk(slack)
        _talk_in_vain(slack)
        spoken = [request for request in slack.requests if request.method != "upload"]

    wrong = {
        name: f"import type * as slack from '@slack/web-api';\nexport const it = {source};\n"
        for name, source in WRONG.items()
    }
    found = complaints({"wire.mts": typescript(spoken), **wrong}, tmp_path)

    assert {request.method for request in spoken} >= {"chat.postMessage", "chat.update", "files.completeUploadExternal"}
    assert [line for line in found if line.startswith("wire.mts")] == []
    assert sorted({line.partition("(")[0] for line in found}) == sorted(WRONG)


def _talk(slack: FakeSlack) -> None:
    client = WebClient("xoxb-test", base_url=slack.url, retry_handlers=[])
    client.auth_test()
    answer = client.chat_postMessage(
        channel="C0OPS", text="full", blocks=BLOCKS, metadata=METADATA, username="Disk", icon_emoji=":fire:"
    )
    client.chat_postMessage(channel="C0OPS", text="x", icon_url="https://example.com/i.png", unfurl_links=False)
    # the types of a thread know no username, so its parent has none
    parent = client.chat_postMessage(channel="C0OPS", text="x", metadata=METADATA)["ts"]
    client.chat_postMessage(channel="U0ANN", text="x" * 40_001)
    client.chat_postMessage(channel="C0OPS", text="again", thread_ts=parent, reply_broadcast=True)
    client.chat_update(channel="C0OPS", ts=answer["ts"], text="fine", blocks=BLOCKS[1:], metadata=METADATA)
    client.reactions_add(channel="C0OPS", name="eyes", timestamp=answer["ts"])
    client.conversations_history(channel="C0OPS", oldest="0", inclusive=True, include_all_metadata=True, limit=1)
    client.conversations_replies(channel="C0OPS", ts=parent, oldest="0", include_all_metadata=True, limit=200)
    client.conversations_list(types="public_channel,private_channel,im", limit=2, exclude_archived=True)
    client.conversations_info(channel="C0OPS")
    client.conversations_open(users="U0BOB", return_im=True)
    client.users_list(limit=1)
    client.users_lookupByEmail(email="ann@example.com")
    client.users_info(user="U0ANN")
    client.usergroups_users_list(usergroup="S0OPS")
    client.apps_connections_open(app_token="xapp-1-A0ALERT-test")
    _upload(client)
    client.conversations_history(channel="C0OPS")


def _upload(client: WebClient) -> None:
    place = client.files_getUploadURLExternal(filename="log.txt", length=4)
    with urlopen(place["upload_url"], data=b"line") as answer:
        assert answer.read() == b"OK - 4"
    files = [{"id": place["file_id"], "title": "the log"}]
    client.files_completeUploadExternal(files=files, channel_id="C0OPS", initial_comment="see the log")


def _talk_in_vain(slack: FakeSlack) -> None:
    client = WebClient("xoxb-test", base_url=slack.url, retry_handlers=[])
    slack.fault("rate_limited", method="chat.update")
    poor = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_postMessage(channel="C0OPS", text="x", blocks=poor)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        client.conversations_history(channel="C0NONE")
    with pytest.raises(SlackApiError, match="ratelimited"):
        client.chat_update(channel="C0OPS", ts="1.000000", text="x")
    slack.workspace.scopes = ["chat:write"]
    with pytest.raises(SlackApiError, match="missing_scope"):
        client.chat_postMessage(channel="C0OPS", text="x", username="Disk")
