"""A DingTalk robot over HTTP: what DingTalk has signed is taken, a signature with one body; the rest is refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.channels.dingtalk.inbound.http import DingTalkHooks
from slack_alert.core.errors import StoreError
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.ports import Clock, Door, WebRequest
from slack_alert.testing import FakeClock
from slack_alert.testing.manual_clock import MONDAY
from tests.fakes.dingtalk_payloads import CLIENT_SECRET, CONVERSATION, SESSION, message_body, press_body, signed_headers
from tests.fakes.raw_http import Heard, call, request, serving
from tests.fakes.virtual_loop import LoopClock, VirtualLoop, run_virtually
from tests.property.test_slack_payload_laws import VALUES

NOW = MONDAY.timestamp()
HOOK = "/hooks/dingtalk/bot"
BODY = message_body("deploy shop", at=NOW)
RAW = json.dumps(BODY).encode()
OTHER = json.dumps(message_body("deploy all", at=NOW, number="msg2")).encode()
SIGNED = signed_headers(NOW)
STAMP, SIGN = SIGNED["timestamp"], SIGNED["sign"]


class Taken:
    """An intake that takes everything once, by its ids."""

    def __init__(self, *, needs: float = 0.0, error: Exception | None = None) -> None:
        self.said: list[ChatMessage | ButtonPress] = []
        self.error = error
        self._needs = needs
        self._ids: set[str] = set()

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        await asyncio.sleep(self._needs)
        if self.error is not None:
            raise self.error
        if not self._ids.intersection(said.ids):
            self.said.append(said)
        self._ids.update(said.ids)

    @property
    def texts(self) -> list[str]:
        return [said.text if isinstance(said, ChatMessage) else said.value for said in self.said]


class Rig:
    """The door, open into an intake."""

    def __init__(self, clock: Clock | None = None, taken: Taken | None = None, *, is_only: bool = False) -> None:
        self.clock = clock or FakeClock()
        self.taken = taken or Taken()
        self.sessions: list[tuple[str, str, datetime]] = []
        self.hooks = self.restarted(is_only=is_only)

    def restarted(self, *, is_only: bool = False) -> DingTalkHooks:
        self.hooks = DingTalkHooks("bot", CLIENT_SECRET, self.clock, keep_session=self._keep_session, is_only=is_only)
        return self.hooks

    def _keep_session(self, conversation: str, url: str, ends: datetime) -> None:
        self.sessions.append((conversation, url, ends))

    async def post(self, headers: Mapping[str, str], body: bytes = RAW, *, path: str = HOOK) -> int:
        """Call a route without a server."""
        answer = await self.hooks.routes()["POST", path](WebRequest("POST", path, headers, body))
        return answer.status

    async def open(self, act: Callable[[], Awaitable[None]]) -> None:
        door = asyncio.create_task(self.hooks.run(self.taken))
        await asyncio.sleep(0)
        try:
            await act()
        finally:
            door.cancel()
            await asyncio.gather(door, return_exceptions=True)


def posted(*calls: tuple[Mapping[str, str], bytes], rig: Rig | None = None) -> list[int]:
    """Post to the open door, one after another, and return the statuses."""
    rig = rig or Rig()
    found: list[int] = []

    async def act() -> None:
        for headers, body in calls:
            found.append(await rig.post(headers, body))

    asyncio.run(rig.open(act))
    return found


def heard(part: bytes) -> Heard:
    """Write bytes to the door behind a real server."""
    found: list[Heard] = []
    rig = Rig(is_only=True)

    async def act() -> None:
        async with serving(rig.hooks.routes()) as web:
            found.append(await call(web, part))

    asyncio.run(rig.open(act))
    return found[0]


def test_a_door_is_a_door() -> None:
    door: Door = Rig().hooks

    assert (door.name, door.state().is_open, door.state().reason) == (
        "dingtalk.http.bot", False, "the web server is not started",
    )  # fmt: skip


def test_a_signed_message_is_taken_and_its_session_webhook_kept() -> None:
    rig = Rig()

    assert posted((SIGNED, RAW), rig=rig) == [200]
    assert rig.taken.texts == ["deploy shop"]
    assert rig.taken.said[0].door == "dingtalk.http.bot"
    ends = datetime.fromtimestamp(NOW, timezone.utc) + timedelta(minutes=90)
    assert rig.sessions == [(f"bot/{CONVERSATION}", SESSION, ends)]


def test_the_only_robot_needs_no_name() -> None:
    assert sorted(Rig().hooks.routes()) == [("POST", HOOK)]
    assert sorted(Rig(is_only=True).hooks.routes()) == [("POST", "/hooks/dingtalk"), ("POST", HOOK)]


@pytest.mark.parametrize(
    ("stamp", "sign"),
    [
        (STAMP, ""),
        ("", SIGN),
        ("", ""),
        (STAMP, SIGN[:-1]),
        (STAMP, f"{SIGN}="),
        (STAMP, f"{SIGN}, {SIGN}"),
        (STAMP, SIGN.lower()),
        (STAMP, "é" * 44),
        (STAMP, "x" * 30_000),
        (str(int(STAMP) + 1), SIGN),
        (f" {STAMP}", SIGN),
        ("nan", SIGN),
        (STAMP, signed_headers(NOW, secret="another")["sign"]),
    ],
)
def test_what_is_not_signed_by_the_secret_is_refused(stamp: str, sign: str) -> None:
    rig = Rig()

    assert posted(({"timestamp": stamp, "sign": sign}, RAW), rig=rig) == [401]
    assert (rig.taken.said, rig.sessions) == ([], [])


@pytest.mark.parametrize(("age", "status"), [(0, 200), (3600, 200), (3601, 401), (-3600, 200), (-3601, 401)])
def test_an_old_signature_is_refused(age: int, status: int) -> None:
    assert posted((signed_headers(NOW - age), RAW)) == [status]


def test_the_same_again_is_answered_as_the_first_and_runs_nothing() -> None:
    rig = Rig()

    assert posted((SIGNED, RAW), (SIGNED, RAW), (signed_headers(NOW + 60), RAW), rig=rig) == [200, 200, 200]
    assert rig.taken.texts == ["deploy shop"]


def test_a_recorded_signature_is_not_good_for_another_body() -> None:
    rig = Rig()

    assert posted((SIGNED, RAW), (SIGNED, OTHER), (SIGNED, RAW), (SIGNED, b"{}"), rig=rig) == [200, 409, 200, 409]
    assert rig.taken.texts == ["deploy shop"]
    assert len(rig.sessions) == 2


def test_what_cannot_be_read_does_not_use_a_signature_up() -> None:
    assert posted((SIGNED, b"{"), (SIGNED, RAW)) == [400, 200]


def test_after_a_restart_a_recorded_signature_brings_no_other_command() -> None:
    rig = Rig()
    posted((SIGNED, RAW), rig=rig)
    rig.restarted()
    posted((SIGNED, OTHER), rig=rig)

    assert rig.taken.texts == ["deploy shop"]


def test_the_same_message_once_by_http_and_once_by_stream_is_the_same() -> None:
    rig = Rig()
    posted((SIGNED, RAW), rig=rig)

    assert rig.taken.said[0].ids[0] == f"dingtalk:message/{BODY['msgId']}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"1" * 5000, 400),
        (b'{"a": "\xff"}', 400),
        ('{"a": 1}'.encode("utf-16"), 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 100_000, 400),
        (b"{}", 200),
        (b'{"msgtype": 5}', 200),
        (RAW.replace(b"deploy", b"\\ud800"), 200),
        (json.dumps(press_body("deploy", "shop")).encode(), 200),
    ],
    ids=range(13),
)
def test_what_cannot_be_read_is_refused_and_what_says_nothing_is_passed_over(body: bytes, status: int) -> None:
    rig = Rig()

    assert posted((SIGNED, body), rig=rig) == [status]
    assert rig.taken.said == []


def test_a_name_that_was_cut_within_an_emoji_is_no_reason_to_refuse_a_message() -> None:
    rig = Rig()
    posted((SIGNED, RAW.replace(b'"senderNick": "Person', b'"senderNick": "\\ud83d')), rig=rig)

    assert (rig.taken.texts, rig.taken.said[0].by.name) == (["deploy shop"], "")


@given(content=st.dictionaries(st.sampled_from(sorted(BODY)), VALUES, max_size=4))
def test_no_content_is_an_error_of_the_server(content: Mapping[str, object]) -> None:
    assert posted((SIGNED, json.dumps({**BODY, **content}).encode())) in ([200], [400])


@given(body=st.binary(max_size=300))
def test_no_bytes_are_an_error_of_the_server(body: bytes) -> None:
    assert posted((SIGNED, body)) in ([200], [400])
    assert posted(({}, body)) == [401]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/robot/sendBySession",
        "http://oapi.dingtalk.com/robot/sendBySession",
        "https://oapi.dingtalk.com.evil.example/x",
        "https://evildingtalk.com/x",
        "https://oapi.dingtalk.com@evil.example/x",
        "https://oapi.dingtalk.com:443@evil.example/x",
        "https://me:x@oapi.dingtalk.com/x",
        "https://evil.example\\.dingtalk.com/x",
        "https://oapi.dingtalk.com:8443/x",
        "https://oapi.dingtalk.com:x/x",
        "https://[oapi.dingtalk.com/x",
        "https://oapi.dingtalk.com/\r\nx",
        "file:///etc/passwd",
        "x" * 3_000,
        5,
        None,
    ],
)
def test_answers_go_to_no_address_but_dingtalks(url: object) -> None:
    rig = Rig()
    posted((SIGNED, json.dumps({**BODY, "sessionWebhook": url}).encode()), rig=rig)

    assert (rig.taken.texts, rig.sessions) == (["deploy shop"], [])


def test_what_the_store_does_not_take_is_not_acknowledged_and_may_come_again(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(taken=Taken(error=StoreError("cannot write: deploy shop")))
    first = posted((SIGNED, RAW), rig=rig)
    rig.taken.error = None
    second = posted((SIGNED, RAW), rig=rig)

    assert (first, second, rig.taken.texts) == ([503], [200], ["deploy shop"])
    assert "deploy" not in "".join(str(vars(each)) for each in caplog.records)


def test_what_takes_too_long_is_not_acknowledged_but_goes_on() -> None:
    loop = VirtualLoop()
    rig = Rig(LoopClock(loop), Taken(needs=10.0))
    at = LoopClock(loop).now().timestamp()
    found: list[int] = []

    async def act() -> None:
        found.append(await rig.post(signed_headers(at)))
        await asyncio.sleep(20)

    run_virtually(loop, rig.open(act))
    assert (found, rig.taken.texts) == ([503], ["deploy shop"])


def test_a_door_that_is_closed_takes_nothing() -> None:
    rig = Rig()

    assert asyncio.run(rig.post(SIGNED)) == 503
    assert rig.taken.said == []


def test_a_refusal_is_logged_once_an_hour_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    rig = Rig(clock)
    with caplog.at_level(logging.WARNING):
        posted(*[({}, RAW)] * 3, rig=rig)
        posted(*[(signed_headers(NOW, secret="x"), RAW)] * 3, rig=rig)

    assert [vars(each)["reason"] for each in caplog.records] == [
        "it has no time", "its signature is not by this client_secret",
    ]  # fmt: skip
    assert all("client_secret" in vars(each)["hint"] for each in caplog.records)


@pytest.mark.parametrize(
    ("part", "status"),
    [
        (request(HOOK, RAW, SIGNED), 200),
        (request("/hooks/dingtalk", RAW, SIGNED), 200),
        (request("/hooks/dingtalk/other", RAW, SIGNED), 404),
        (request(HOOK, RAW, SIGNED, method="GET"), 405),
        (request(HOOK, RAW), 401),
        (request(HOOK, RAW, {**SIGNED, "sign": "\xff"}), 401),
        (request(HOOK, b"{", SIGNED), 400),
        (request(HOOK, b"x" * 2_000_000, SIGNED), 413),
    ],
    ids=range(8),
)
@pytest.mark.slow
def test_the_server_answers_as_the_door_does(part: bytes, status: int) -> None:
    assert heard(part).status == status
