"""The fake Slack speaks Socket Mode as Slack does: the clients of others connect to it, listen and answer."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_callers import client, error_of, raw, refused

APP_TOKEN = "xapp-1-A0ALERT-test"
WIRE = Path(__file__).parents[2] / "wire"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.mark.parametrize(
    ("token", "error"),
    [("xoxb-test", "not_allowed_token_type"), ("xapp-other", "invalid_auth"), ("", "not_authed")],
)
def test_a_socket_needs_the_token_of_the_app(slack: FakeSlack, token: str, error: str) -> None:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        **({"Authorization": f"Bearer {token}"} if token else {}),
    }

    assert error_of(slack, "apps.connections.open", headers=headers) == error


def test_the_token_of_the_app_goes_in_the_header_and_nowhere_else(slack: FakeSlack) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {APP_TOKEN}"}

    assert (
        error_of(slack, "apps.connections.open", body=json.dumps({"token": APP_TOKEN}), headers=headers)
        == "invalid_auth"
    )


def test_the_token_of_the_app_is_good_for_nothing_else(slack: FakeSlack) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        client(slack, token=APP_TOKEN).auth_test()


def test_an_app_whose_socket_mode_is_off_gets_no_url(slack: FakeSlack) -> None:
    slack.workspace.socket_mode = False

    with pytest.raises(SlackApiError, match="link_disabled"):
        client(slack).apps_connections_open(app_token=APP_TOKEN)


def test_fifty_urls_a_minute_are_given(slack: FakeSlack) -> None:
    slack.workspace.now = lambda: 1_700_000_000.0
    headers = {"Authorization": f"Bearer {APP_TOKEN}"}
    answers = [raw(slack, "apps.connections.open", headers=headers) for _ in range(51)]

    assert [status for status, _, _ in answers] == [200] * 50 + [429]
    assert answers[-1][1]["retry-after"] == "2"


def test_a_url_is_good_for_one_socket(slack: FakeSlack) -> None:
    url = client(slack).apps_connections_open(app_token=APP_TOKEN)["url"]

    async def twice() -> tuple[Any, int]:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url) as socket:
                hello = await socket.receive_json(timeout=5)
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(url)
        return hello, caught.value.status

    hello, status = asyncio.run(twice())
    assert (hello["type"], hello["num_connections"], hello["debug_info"]["approximate_connection_time"]) == (
        "hello",
        1,
        18_060,
    )
    assert status == 404


@asynccontextmanager
async def _listening(
    slack: FakeSlack, *, answers: bool = True, all_came: asyncio.Event | None = None
) -> AsyncIterator[tuple[SocketModeClient, list[SocketModeRequest]]]:
    heard: list[SocketModeRequest] = []

    async def listen(sdk: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        heard.append(request)
        if all_came and len(heard) == 4:
            all_came.set()
        if answers:
            await sdk.send_socket_mode_response(SocketModeResponse(request.envelope_id))

    sdk = SocketModeClient(APP_TOKEN, web_client=AsyncWebClient(base_url=slack.url), ping_interval=0.2)
    sdk.socket_mode_request_listeners.append(listen)
    try:
        await sdk.connect()  # type: ignore[no-untyped-call]  # as in the library
        yield sdk, heard
    finally:
        await sdk.close()  # type: ignore[no-untyped-call]  # as above
        await asyncio.gather(
            *(each for each in (sdk.message_processor, sdk.message_receiver, sdk.current_session_monitor) if each),
            return_exceptions=True,
        )


async def _do(act: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Steer the fake from a thread, as it is steered from without its loop."""
    return await asyncio.to_thread(act, *arguments, **options)


@pytest.mark.slow
def test_slack_sdk_hears_and_answers_all_kinds(slack: FakeSlack) -> None:
    async def listen() -> list[SocketModeRequest]:
        async with _listening(slack) as (_, heard):
            await _do(slack.socket.wait_for_sockets, 1)
            asked = await _do(slack.socket.mentions, "U0ANN", "deploy shop")
            await _do(slack.socket.slash, "U0ANN", "/deploy", "shop")
            await _do(slack.socket.presses, "U0ANN", "ack", "disk.usage", message=asked)
            await _do(slack.socket.wait_for_acknowledgements, 4)
            return heard

    heard = asyncio.run(listen())
    assert [(each.type, each.accepts_response_payload) for each in heard] == [
        ("events_api", False),
        ("events_api", False),
        ("slash_commands", True),
        ("interactive", True),
    ]
    assert [each.payload["event"]["type"] for each in heard[:2]] == ["app_mention", "message"]
    assert heard[0].payload["event"]["ts"] == heard[1].payload["event"]["ts"]
    assert (heard[2].payload["command"], heard[2].payload["text"]) == ("/deploy", "shop")
    assert heard[3].payload["actions"][0]["value"] == "disk.usage"
    assert all(each.is_owed and each.after < 3 for each in slack.socket.acknowledgements)


@pytest.mark.slow
def test_an_event_that_nobody_answers_comes_again_and_a_click_does_not(slack: FakeSlack) -> None:
    slack.socket.rules.acknowledge = 0.05
    slack.socket.rules.retries = (0.0, 0.0)

    async def listen() -> list[SocketModeRequest]:
        all_came = asyncio.Event()
        async with _listening(slack, answers=False, all_came=all_came) as (_, heard):
            await _do(slack.socket.wait_for_sockets, 1)
            asked = await _do(slack.socket.says, "U0ANN", "!deploy shop")
            await _do(slack.socket.presses, "U0ANN", "ack", message=asked)
            await asyncio.wait_for(all_came.wait(), timeout=10)
            return heard

    heard = asyncio.run(listen())
    assert sorted((each.type, each.retry_attempt or 0) for each in heard) == [
        ("events_api", 0),
        ("events_api", 1),
        ("events_api", 2),
        ("interactive", 0),
    ]
    assert {each.retry_reason for each in heard if each.retry_attempt} == {"timeout"}
    assert len({each.payload["event_id"] for each in heard if each.type == "events_api"}) == 1


@pytest.mark.slow
def test_slack_sdk_comes_back_after_a_refresh(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    slack.socket.rules.refresh = 0.0

    async def listen() -> int:
        async with _listening(slack):
            await _do(slack.socket.wait_for_sockets, 1)
            await _do(slack.socket.disconnects, "refresh_requested")
            await _do(slack.socket.wait, lambda: slack.socket.opened > 1 and slack.socket.sockets)
            await _do(slack.socket.says, "U0ANN", "!status")
            await _do(slack.socket.wait_for_acknowledgements, 1)
            return slack.socket.opened

    assert asyncio.run(listen()) >= 2  # it may take its own closing for another loss


@pytest.mark.slow
def test_slack_bolt_obeys(slack: FakeSlack) -> None:
    bolt = pytest.importorskip("slack_bolt.async_app")
    handler = pytest.importorskip("slack_bolt.adapter.socket_mode.aiohttp")
    app = bolt.AsyncApp(client=AsyncWebClient("xoxb-test", base_url=slack.url))
    obeyed: list[str] = []

    async def deploy(ack: Any, command: Any) -> None:
        await ack()
        obeyed.append(command["text"])

    async def mentioned(event: Any) -> None:
        obeyed.append(event["text"])

    async def wrote(event: Any) -> None:
        obeyed.append(event["ts"])

    async def pressed(ack: Any, action: Any) -> None:
        await ack()
        obeyed.append(action["value"])

    app.command("/deploy")(deploy)
    app.event("app_mention")(mentioned)
    app.event("message")(wrote)
    app.action("ack")(pressed)

    async def run() -> str:
        serving = handler.AsyncSocketModeHandler(app, APP_TOKEN)
        serving.client.web_client = AsyncWebClient(base_url=slack.url)
        await serving.connect_async()
        try:
            await _do(slack.socket.wait_for_sockets, 1)
            asked = await _do(slack.socket.mentions, "U0ANN", "deploy shop")
            await _do(slack.socket.slash, "U0ANN", "/deploy", "shop")
            await _do(slack.socket.presses, "U0ANN", "ack", "disk.usage", message=asked)
            await _do(slack.socket.wait_for_acknowledgements, 4)
        finally:
            await serving.close_async()
        return str(asked.ts)

    ts = asyncio.run(run())
    assert sorted(obeyed) == sorted(["<@U0BOT> deploy shop", ts, "shop", "disk.usage"])


SCRIPT = """
const { SocketModeClient } = require('@slack/socket-mode');
const { LogLevel } = require('@slack/socket-mode');
const client = new SocketModeClient({
  appToken: process.argv[2], logLevel: LogLevel.ERROR, clientOptions: { slackApiUrl: process.argv[1] },
});
let left = 4;
client.on('slack_event', async ({ ack, type, retry_num }) => {
  await ack();
  console.log(type, retry_num ?? 0);
  left -= 1;
  if (left === 0) await client.disconnect();
});
client.start();
"""


@pytest.mark.slow
def test_the_client_for_node_hears_and_answers(slack: FakeSlack) -> None:
    if shutil.which("node") is None or not (WIRE / "node_modules" / "@slack" / "socket-mode").is_dir():
        pytest.skip("node or its packages are not installed; run npm install --prefix tests/wire")
    command = ["node", "-e", SCRIPT, slack.url, APP_TOKEN]
    with subprocess.Popen(command, cwd=WIRE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as node:
        try:
            slack.socket.wait_for_sockets(1, seconds=30)
            asked = slack.socket.mentions("U0ANN", "deploy shop")
            slack.socket.slash("U0ANN", "/deploy", "shop")
            slack.socket.presses("U0ANN", "ack", "disk.usage", message=asked)
            slack.socket.wait_for_acknowledgements(4)
            said, _ = node.communicate(timeout=30)
        finally:
            node.kill()

    assert sorted(said.split("\n")[:-1]) == ["events_api 0", "events_api 0", "interactive 0", "slash_commands 0"], said


def test_accounts_and_groups_are_told(slack: FakeSlack) -> None:
    slack.workspace.accounts = {"U0BOB": {"is_restricted": True}}
    slack.workspace.hidden = ["U0FAR"]
    sdk = client(slack)

    assert sdk.users_info(user="U0BOB")["user"]["is_restricted"] is True
    assert sdk.usergroups_users_list(usergroup="S0OPS")["users"] == ["U0ANN"]
    assert refused(slack, "users.info")["error"] == "invalid_arguments"
    with pytest.raises(SlackApiError, match="user_not_visible"):
        sdk.users_info(user="U0FAR")
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        sdk.usergroups_users_list(usergroup="S0NONE")
    slack.workspace.groups = None
    with pytest.raises(SlackApiError, match="plan_upgrade_required"):
        sdk.usergroups_users_list(usergroup="S0OPS")


@pytest.mark.slow
def test_a_response_url_is_good_for_five_answers(slack: FakeSlack) -> None:
    url = slack.socket.slash("U0ANN", "/deploy", "shop").payload["response_url"]

    async def answer() -> list[tuple[int, str]]:
        async with aiohttp.ClientSession() as session:
            answers = []
            for content in [{}, *[{"text": str(number)} for number in range(6)]]:
                async with session.post(url, json=content) as response:
                    answers.append((response.status, await response.text()))
            return answers

    assert asyncio.run(answer()) == [(400, "no_text"), *[(200, "ok")] * 5, (404, "used_url")]
    (kept,) = slack.workspace.response_urls.values()
    assert [each["text"] for each in kept.answers] == ["0", "1", "2", "3", "4"]
