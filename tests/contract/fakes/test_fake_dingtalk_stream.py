"""The fake gateway is DingTalk to the vendor's own client, and holds clients to what DingTalk asks of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, CONVERSATION, CORPORATION
from tests.fakes.dingtalk_stream import CARDS, CONNECT, MESSAGES, OPEN, FakeDingTalkStream
from tests.fakes.slack_rules import Json

pytestmark = pytest.mark.slow
ASKED: Json = {
    "clientId": CLIENT_ID,
    "clientSecret": CLIENT_SECRET,
    "subscriptions": [{"type": "CALLBACK", "topic": MESSAGES}],
    "ua": "test",
    "localIp": "127.0.0.1",
}
#: A program on the vendor's client that prints what it is told, a line each.
PROGRAM = """
import json, logging, sys
from dingtalk_stream import AckMessage, CallbackHandler, ChatbotMessage, Credential, DingTalkStreamClient
from dingtalk_stream.card_callback import Card_Callback_Router_Topic, CardCallbackMessage

class Chat(CallbackHandler):
    async def process(self, callback):
        said = ChatbotMessage.from_dict(callback.data)
        self.tell("said", said.text.content, said.sender_staff_id, said.sender_corp_id, said.conversation_id,
                  said.is_in_at_list, said.message_id, said.session_webhook_expired_time - said.create_at)
        return AckMessage.STATUS_OK, "OK"

    def tell(self, *told):
        print(json.dumps(told), flush=True)

class Card(Chat):
    async def process(self, callback):
        pressed = CardCallbackMessage.from_dict(callback.data)
        self.tell("pressed", pressed.content, pressed.user_id, pressed.corp_id, pressed.card_instance_id)
        return AckMessage.STATUS_OK, {}

client = DingTalkStreamClient(Credential(sys.argv[1], sys.argv[2]), logging.getLogger())
client.get_host_ip = lambda: "127.0.0.1"
client.register_callback_handler(ChatbotMessage.TOPIC, Chat())
client.register_callback_handler(Card_Callback_Router_Topic, Card())
client.start_forever()
"""


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalkStream]:
    with FakeDingTalkStream() as fake:
        fake.rules.disconnect = 0.2
        yield fake


@contextmanager
def client_of_the_vendor(dingtalk: FakeDingTalkStream) -> Iterator[subprocess.Popen[str]]:
    """Run the vendor's client, which does not end by itself."""
    environ = {**os.environ, "DINGTALK_OPENAPI_ENDPOINT": dingtalk.url, "no_proxy": "*"}
    command = [sys.executable, "-c", PROGRAM, CLIENT_ID, CLIENT_SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ) as client:
        try:
            yield client
        finally:
            client.kill()


def told(client: subprocess.Popen[str]) -> list[Any]:
    assert client.stdout is not None
    return list(json.loads(client.stdout.readline()))


def test_the_vendors_client_is_told_answers_and_comes_back(dingtalk: FakeDingTalkStream) -> None:
    pytest.importorskip("dingtalk_stream")
    with client_of_the_vendor(dingtalk) as client:
        dingtalk.wait_for_sockets(1, seconds=30)
        dingtalk.says("deploy shop", number="msg1")
        assert told(client) == ["said", " deploy shop", "0123", CORPORATION, CONVERSATION, True, "msg1", 5_400_000]

        dingtalk.presses("ack", "disk.usage")
        params = {"cardPrivateData": {"actionIds": ["ack"], "params": {"action": "ack", "value": "disk.usage"}}}
        assert told(client) == ["pressed", params, "0123", CORPORATION, "card-1"]

        dingtalk.pings("opaque")
        dingtalk.disconnects()
        dingtalk.wait(lambda: dingtalk.gateway.opened == 2)
        dingtalk.wait_for_sockets(1)
        dingtalk.says("again", number="msg2", direct=True)
        assert told(client)[:2] == ["said", "again"]
        dingtalk.wait_for_acknowledgements(3)

    assert (len(dingtalk.gateway.echoes), dingtalk.gateway.violations) == (1, [])


async def _ticket(session: ClientSession, dingtalk: FakeDingTalkStream, **asked: object) -> tuple[int, Json]:
    async with session.post(dingtalk.url + OPEN, json={**ASKED, **asked}) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"clientSecret": "wrong"}, 401, "authFailed"),
        ({"clientId": None}, 401, "authFailed"),
        ({"subscriptions": []}, 400, "invalidParameter"),
        ({"subscriptions": [{"type": "CALLBACK"}]}, 400, "invalidParameter"),
        ({"ua": ""}, 400, "invalidParameter"),
    ],
)
def test_who_asks_wrongly_gets_no_ticket(dingtalk: FakeDingTalkStream, asked: Json, status: int, code: str) -> None:
    async def ask() -> tuple[int, Json]:
        async with ClientSession() as session:
            return await _ticket(session, dingtalk, **asked)

    found, said = asyncio.run(ask())
    assert (found, said["code"]) == (status, code)


def test_a_ticket_is_good_for_one_socket(dingtalk: FakeDingTalkStream) -> None:
    async def come_twice() -> list[int]:
        async with ClientSession() as session:
            _, said = await _ticket(session, dingtalk)
            socket = await session.ws_connect(said["endpoint"], params={"ticket": said["ticket"]})
            found = []
            for ticket in (said["ticket"], "guessed"):
                async with session.get(dingtalk.url + CONNECT, params={"ticket": ticket}) as answer:
                    found.append(answer.status)
            await socket.close()
            return found

    assert asyncio.run(come_twice()) == [401, 401]
    assert dingtalk.gateway.violations == ["a ticket that was used, or never given"] * 2


async def _answer(socket: ClientWebSocketResponse, **fields: object) -> Json:
    frame = json.loads(await socket.receive_str())
    headers = {"messageId": frame["headers"]["messageId"], "contentType": "application/json"}
    await socket.send_json({"code": 200, "headers": headers, "message": "OK", "data": frame["data"], **fields})
    return dict(frame)


def test_what_is_answered_wrongly_comes_again_and_is_held_against_the_client(dingtalk: FakeDingTalkStream) -> None:
    dingtalk.rules.again = 0.05

    async def hear() -> list[str]:
        async with ClientSession() as session:
            _, said = await _ticket(session, dingtalk)
            async with session.ws_connect(said["endpoint"], params={"ticket": said["ticket"]}) as socket:
                await asyncio.to_thread(dingtalk.says, "ping")
                await asyncio.to_thread(dingtalk.presses, "ack")  # a topic that was not asked for
                await _answer(socket, code=500)
                await _answer(socket, headers={"messageId": "another"})
                last = await _answer(socket)
                await asyncio.to_thread(dingtalk.wait_for_acknowledgements, 1)
                return [last["type"], last["headers"]["topic"], last["headers"]["contentType"]]

    assert asyncio.run(hear()) == ["CALLBACK", MESSAGES, "application/json"]
    assert [each.split(":")[0] for each in dingtalk.gateway.violations] == ["not an answer"] * 2
    assert [(each.topic, each.is_acknowledged) for each in dingtalk.gateway.callbacks] == [
        (MESSAGES, True), (CARDS, False),
    ]  # fmt: skip
