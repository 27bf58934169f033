"""Slack over HTTP: what the fake Slack sends is taken once it is signed, and everything else is refused."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from slack_alert.channels.slack.errors import RefusedError, SlackResult, classify
from slack_alert.channels.slack.inbound.http import SlackHooks
from slack_alert.channels.slack.inbound.translate import DirectoryChange, SlackInstallation
from slack_alert.core.errors import StoreError
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.ports import Clock, WebRequest
from slack_alert.testing import FakeClock
from slack_alert.testing.manual_clock import MONDAY
from tests.fakes.raw_http import Heard, call, request, serving
from tests.fakes.slack_events import event_body, message_event, press_payload, slash_form
from tests.fakes.slack_hooks import COMMANDS, EVENTS, INTERACTIVE, SECRET, SlackSender, signed
from tests.fakes.virtual_loop import LoopClock, VirtualLoop, run_virtually

NOW = MONDAY.timestamp()
INSTALLATION = SlackInstallation("T0TEST", "U0BOT")
MESSAGE = message_event("!deploy shop", user="U0ANN", channel="C0OPS", ts=f"{NOW:.6f}")
BODY = event_body(MESSAGE, event_id="Ev01", at=NOW)
RAW = json.dumps(BODY).encode()
SHOWN: Any = {"user": "U0ANN", "name": "ann", "channel": "C0OPS", "channel_name": "ops", "trigger": "1.2.3"}
FORM = slash_form("/deploy", "shop prod", response_url="https://hooks.slack.com/x", **SHOWN)
PRESS = press_payload(
    "ack", "disk", message={"type": "message", "ts": f"{NOW:.6f}", "user": "U0BOT", "text": "full"},
    at=f"{NOW:.6f}", response_url="https://hooks.slack.com/x", **SHOWN,
)  # fmt: skip
BOMB = "[" * 100_000


class Taken:
    """An intake that notes what it took."""

    def __init__(self, *, needs: float = 0.0, error: Exception | None = None) -> None:
        self.said: list[ChatMessage | ButtonPress] = []
        self.begun = 0
        self._needs = needs
        self._error = error

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        self.begun += 1
        await asyncio.sleep(self._needs)
        if self._error is not None:
            raise self._error
        self.said.append(said)

    @property
    def texts(self) -> list[str]:
        return [said.text if isinstance(said, ChatMessage) else said.value for said in self.said]


class Rig:
    """The door, open into an intake."""

    def __init__(self, clock: Clock | None = None, taken: Taken | None = None, *, lost: bool = False) -> None:
        self.clock = clock or FakeClock()
        self.taken = taken or Taken()
        self.changes: list[DirectoryChange] = []
        self._is_lost = lost
        self.hooks = SlackHooks(SECRET, self._installation, self.changes.append, self.clock, command="/slack-alert")

    async def _installation(self) -> SlackInstallation:
        if self._is_lost:
            raise RefusedError(classify(SlackResult(200, "invalid_auth")))
        return INSTALLATION

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Call a route without a server."""
        small = {name.lower(): value for name, value in headers.items()}
        answer = await self.hooks.routes()["POST", path](WebRequest("POST", path, small, body))
        return answer.status, {}, answer.body

    async def open(self, act: Callable[[], Awaitable[None]]) -> None:
        door = asyncio.create_task(self.hooks.run(self.taken))
        await asyncio.sleep(0)
        try:
            await act()
        finally:
            door.cancel()
            await asyncio.gather(door, return_exceptions=True)


def posted(path: str, body: bytes, headers: Mapping[str, str] | None = None, *, rig: Rig | None = None) -> int:
    """Post to the open door and return the status."""
    rig = rig or Rig()
    found: list[int] = []

    async def act() -> None:
        status, _, _ = await rig.post(path, signed(body, NOW) if headers is None else headers, body)
        found.append(status)

    asyncio.run(rig.open(act))
    return found[0]


def heard(*parts: bytes, ends: bool = False) -> Heard:
    """Write bytes to the door behind a real server."""
    found: list[Heard] = []
    rig = Rig()

    async def act() -> None:
        async with serving(rig.hooks.routes()) as web:
            found.append(await call(web, *parts, ends=ends))

    asyncio.run(rig.open(act))
    return found[0]


def test_events_commands_and_buttons_come_through_the_server() -> None:
    rig = Rig()
    form = "&".join(f"{name}={quote(str(value))}" for name, value in FORM.items()).encode()
    pressed = f"payload={quote(json.dumps(PRESS))}".encode()
    found: list[Heard] = []

    async def act() -> None:
        async with serving(rig.hooks.routes()) as web:
            for path, body in ((EVENTS, RAW), (COMMANDS, form), (INTERACTIVE, pressed)):
                found.append(await call(web, request(path, body, signed(body, NOW))))

    asyncio.run(rig.open(act))

    assert [(each.status, each.body) for each in found] == [(200, b"")] * 3
    assert rig.taken.texts == ["!deploy shop", "deploy shop prod", "disk"]
    assert {said.door for said in rig.taken.said} == {"slack.http"}
    assert [said.by.key for said in rig.taken.said] == ["slack:T0TEST/U0ANN"] * 3


def test_the_address_is_proved_to_slack_only_where_it_asks_itself() -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    right = heard(request(EVENTS, raw, signed(raw, NOW)))
    forged = heard(request(EVENTS, raw, signed(raw, NOW, secret="x")))

    assert (right.status, right.body) == (200, b"abc")
    assert (forged.status, b"abc" in forged.body) == (401, False)


@pytest.mark.parametrize("challenge", [None, 5, ["x"], {"a": "b"}, "é"])
def test_a_challenge_that_is_no_text_is_not_repeated(challenge: object) -> None:
    assert posted(EVENTS, json.dumps({"type": "url_verification", "challenge": challenge}).encode()) == 400


SIGNED = signed(RAW, NOW)
STAMP, SIGNATURE = SIGNED["X-Slack-Request-Timestamp"], SIGNED["X-Slack-Signature"]


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        (STAMP, ""),
        ("", SIGNATURE),
        ("", ""),
        (STAMP, SIGNATURE[:-1]),
        (STAMP, SIGNATURE + "0"),
        (STAMP, SIGNATURE.replace("v0=", "v1=")),
        (STAMP, SIGNATURE.removeprefix("v0=")),
        (STAMP, SIGNATURE.upper()),
        (STAMP, "v0=" + "0" * 64),
        (STAMP, "é" * 67),
        (STAMP, SIGNATURE[:-1] + "\udcff"),
        (STAMP, f"{SIGNATURE}, {SIGNATURE}"),
        (STAMP, "x" * 30_000),
        ("abc", SIGNATURE),
        (f"{STAMP}.0", SIGNATURE),
        (f"-{STAMP}", SIGNATURE),
        (f" {STAMP}", SIGNATURE),
        ("".join(chr(ord(each) + 0xFEE0) for each in STAMP), SIGNATURE),
        ("²", SIGNATURE),
        ("9" * 5000, SIGNATURE),
        ("1e9", SIGNATURE),
        ("nan", SIGNATURE),
        ("0x10", SIGNATURE),
        (str(int(STAMP) + 1), SIGNATURE),
    ],
)  # fmt: skip
def test_a_signature_that_is_not_exactly_right_is_refused(stamp: str, signature: str) -> None:
    rig = Rig()

    assert posted(EVENTS, RAW, {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}, rig=rig) == 401
    assert rig.taken.said == []


@pytest.mark.parametrize(("age", "status"), [(0, 200), (300, 200), (301, 401), (-300, 200), (-301, 401), (10**9, 401)])
def test_an_old_signature_is_refused(age: int, status: int) -> None:
    assert posted(EVENTS, RAW, signed(RAW, NOW - age)) == status


def test_a_replay_within_five_minutes_brings_the_same_ids() -> None:
    rig = Rig()
    first = posted(EVENTS, RAW, SIGNED, rig=rig)
    second = posted(EVENTS, RAW, SIGNED, rig=rig)

    assert (first, second) == (200, 200)
    assert [said.ids for said in rig.taken.said] == [("slack:event/Ev01", f"slack:T0TEST/C0OPS/{NOW:.6f}")] * 2


@given(place=st.integers(0, 8 * len(RAW) - 1))
def test_a_body_with_a_flipped_bit_is_refused(place: int) -> None:
    flipped = bytearray(RAW)
    flipped[place // 8] ^= 1 << place % 8

    assert posted(EVENTS, bytes(flipped), SIGNED) == 401


@pytest.mark.slow
@given(text=st.text())
def test_what_slack_sdk_signs_is_accepted(text: str) -> None:
    raw = json.dumps({"type": "other", "text": text}, ensure_ascii=text.isascii()).encode("utf-8", "replace")
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=STAMP, body=raw)
    assert signature is not None

    assert posted(EVENTS, raw, {"X-Slack-Request-Timestamp": STAMP, "X-Slack-Signature": signature}) == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (EVENTS, b"", 400),
        (EVENTS, b"{", 400),
        (EVENTS, b"[]", 400),
        (EVENTS, b"null", 400),
        (EVENTS, b'"text"', 400),
        (EVENTS, b"1" * 5000, 400),
        (EVENTS, b'{"type": "\xff"}', 400),
        (EVENTS, '{"type": "event_callback"}'.encode("utf-16"), 400),
        (EVENTS, b"\xef\xbb\xbf{}", 400),
        (EVENTS, BOMB.encode(), 400),
        (EVENTS, ('{"a":' * 100_000).encode(), 400),
        (EVENTS, b"\x1f\x8b\x08\x00nonsense", 400),
        (EVENTS, b"{}", 200),
        (EVENTS, b'{"type": 5}', 200),
        (EVENTS, b'{"type": ["url_verification"]}', 200),
        (EVENTS, b'{"type": "event_callback", "event": 5}', 200),
        (EVENTS, b'{"type": "event_callback", "event": {"type": {"a": 1}}}', 200),
        (EVENTS, b'{"type": "event_callback", "event": {"type": "message", "ts": [], "user": 1, "text": {}}}', 200),
        (EVENTS, RAW.replace(b"!deploy", b"!\\ud800"), 200),
        (COMMANDS, b"", 200),
        (COMMANDS, b"command=%ff", 400),
        (COMMANDS, b"command=\xff", 400),
        (COMMANDS, b"a=1&" * 1000, 400),
        (COMMANDS, b"ssl_check=1&token=x", 200),
        (COMMANDS, b"command=/x&command=/y", 200),
        (COMMANDS, b"%%%&&&===", 200),
        (INTERACTIVE, b"", 400),
        (INTERACTIVE, b"payload=", 400),
        (INTERACTIVE, b"payload={", 400),
        (INTERACTIVE, b"payload=[]", 400),
        (INTERACTIVE, f"payload={quote(BOMB)}".encode(), 400),
        (INTERACTIVE, b'payload={"type": "block_actions", "actions": [5]}', 200),
        (INTERACTIVE, b'payload={"type": "block_actions", "actions": {}}', 200),
        (INTERACTIVE, b'payload={"type": "\xed\xa0\x80"}', 400),
        (INTERACTIVE, RAW, 400),
    ],
    ids=range(35),
)  # fmt: skip
def test_what_is_signed_and_cannot_be_read_is_refused_and_what_says_nothing_is_passed_over(
    path: str, body: bytes, status: int
) -> None:
    rig = Rig()

    assert posted(path, body, rig=rig) == status
    assert rig.taken.said == []


PATHS = st.sampled_from([EVENTS, COMMANDS, INTERACTIVE])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["message", "U0ANN", f"{NOW:.6f}", "C1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "event", "text", "user", "ts", "channel", "actions", "team", "id", "payload", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(path=PATHS, content=JSON | st.fixed_dictionaries({"type": st.just("event_callback"), "event": JSON}))
def test_no_content_is_an_error_of_the_server(path: str, content: object) -> None:
    raw = json.dumps(content).encode()
    body = raw if path == EVENTS else b"payload=" + quote(raw).encode()

    assert posted(path, body) in (200, 400)


@given(path=PATHS, body=st.binary(max_size=300))
def test_no_bytes_are_an_error_of_the_server(path: str, body: bytes) -> None:
    assert posted(path, body) in (200, 400)
    assert posted(path, body, {}) == 401


def with_length(body: bytes, headers: Mapping[str, str]) -> bytes:
    return request(EVENTS, body, {**signed(body, NOW), **headers})


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((request(EVENTS, RAW, SIGNED),), 200),
        ((request(EVENTS, RAW, SIGNED, version="1.0"),), 200),
        ((request(EVENTS, b"%x\r\n%s\r\n0\r\n\r\n" % (len(RAW), RAW), {
            **SIGNED, "Content-Length": "", "Transfer-Encoding": "chunked"}),), 200),
        ((request(EVENTS, RAW),), 401),
        ((request(EVENTS, RAW, {**SIGNED, "X-Slack-Signature": "v0=\xff\xe9"}),), 401),
        ((request(EVENTS, RAW, {**SIGNED, "X-Slack-Signature": f"{SIGNATURE}\r\nX-Slack-Signature: x"}),), 401),
        ((request(EVENTS, RAW, signed(RAW, NOW - 400)),), 401),
        ((request(EVENTS, BOMB.encode(), signed(BOMB.encode(), NOW)),), 400),
        ((request(EVENTS, b"\xff", signed(b"\xff", NOW)),), 400),
        ((request(EVENTS, b"\x1f\x8b", {**signed(b"\x1f\x8b", NOW), "Content-Encoding": "gzip"}),), 400),
        ((request(EVENTS, b"x" * 2_000_000, signed(b"x" * 2_000_000, NOW)),), 413),
        ((with_length(RAW, {"Content-Length": f"{len(RAW)}\r\nContent-Length: 5"}),), 400),
        ((with_length(RAW, {"Host": "evil.example"}),), 400),
        ((request(EVENTS, method="GET"),), 405),
        ((request(EVENTS, method="HEAD"),), 405),
        ((request("/hooks/slack", RAW, SIGNED),), 404),
        ((request("/hooks/slack/events/", RAW, SIGNED),), 404),
        ((request("/hooks/slack/other", RAW, SIGNED),), 404),
    ],
    ids=range(18),
)  # fmt: skip
def test_over_the_wire_it_is_refused_as_well(parts: tuple[bytes, ...], status: int) -> None:
    assert heard(*parts).status == status


WHOLE = request(EVENTS, RAW, SIGNED)
HEAD = WHOLE.index(b"\r\n\r\n")


@pytest.mark.slow
@given(
    start=st.integers(0, HEAD + 4),
    length=st.integers(0, 40),
    put=st.binary(max_size=8)
    | st.sampled_from([b"\r\n", b"\r\n\r\n", b"\x00", b": ", b" ", b"\xff", b"Transfer-Encoding: chunked"]),
)
def test_no_damage_to_a_request_is_an_error_of_the_server(start: int, length: int, put: bytes) -> None:
    damaged = WHOLE[:start] + put + WHOLE[start + length :]

    assert heard(damaged, ends=True).status in (0, 200, 400, 401, 404, 405, 413)


@pytest.mark.slow
@given(said=st.binary(max_size=300))
def test_no_bytes_on_the_wire_are_an_error_of_the_server(said: bytes) -> None:
    assert heard(said, ends=True).status in (0, 400, 404, 405)


class VirtualRig(Rig):
    """A rig on a time of its own, with Slack's side."""

    def __init__(self, taken: Taken) -> None:
        self.loop = VirtualLoop()
        super().__init__(LoopClock(self.loop), taken)
        self.slack = SlackSender(self.post, self.clock)

    def run(self, act: Callable[[], Awaitable[None]]) -> float:
        """Return how many seconds it took."""
        run_virtually(self.loop, self.open(act))
        return self.clock.monotonic()


def test_what_is_taken_in_time_is_acknowledged_only_then() -> None:
    rig = VirtualRig(Taken(needs=2.0))

    async def act() -> None:
        assert await rig.slack.event(BODY)

    assert rig.run(act) == 2.0
    assert (rig.slack.sent, rig.taken.texts) == ([200], ["!deploy shop"])


def test_an_event_that_is_taken_late_comes_again_under_the_same_ids() -> None:
    rig = VirtualRig(Taken(needs=2.7))

    async def act() -> None:
        assert not await rig.slack.event(BODY)

    assert rig.run(act) == 360 + 4 * 2.5
    assert rig.slack.sent == [503, 503, 503, 503]
    # What was late went on.
    assert len({said.ids for said in rig.taken.said}) == 1


def test_a_late_command_is_refused_before_slack_gives_up() -> None:
    rig = VirtualRig(Taken(needs=10.0))

    async def act() -> None:
        assert not await rig.slack.command(FORM)

    assert rig.run(act) == 2.5
    assert rig.slack.sent == [503]


def test_what_the_store_refuses_is_not_acknowledged(caplog: pytest.LogCaptureFixture) -> None:
    rig = VirtualRig(Taken(error=StoreError("!deploy shop cannot be kept")))

    async def act() -> None:
        assert not await rig.slack.event(BODY)
        assert not await rig.slack.interaction(PRESS)

    rig.run(act)

    assert rig.slack.sent == [503] * 5
    assert "deploy" not in "".join(f"{vars(record)}" for record in caplog.records)
    assert {vars(record)["reason"] for record in caplog.records} == {"StoreError"}


def test_without_slack_nothing_is_known_of_the_app_and_nothing_acknowledged(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(lost=True)

    assert posted(EVENTS, RAW, rig=rig) == 503
    assert [vars(record)["reason"] for record in caplog.records] == ["invalid_auth"]


def test_a_changed_account_is_told_to_the_directory() -> None:
    rig = Rig()
    raw = json.dumps(event_body({"type": "user_change", "user": {"id": "U0ANN"}}, event_id="Ev2", at=NOW)).encode()

    assert posted(EVENTS, raw, rig=rig) == 200
    assert (rig.changes, rig.taken.said) == ([DirectoryChange(user="U0ANN")], [])


def test_the_door_is_open_while_it_runs() -> None:
    rig = Rig()
    states = [rig.hooks.state()]

    async def act() -> None:
        states.append(rig.hooks.state())

    asyncio.run(rig.open(act))
    states.append(rig.hooks.state())

    assert [state.is_open for state in states] == [False, True, False]
    assert states[0].reason == "the web server is not started"


def test_a_closed_door_acknowledges_nothing() -> None:
    rig = Rig()

    async def whole() -> int:
        status, _, _ = await rig.post(EVENTS, SIGNED, RAW)
        return status

    assert asyncio.run(whole()) == 503


def test_a_door_that_closes_leaves_nothing_behind() -> None:
    rig = VirtualRig(Taken(needs=1000.0))

    async def act() -> None:
        await rig.slack.command(FORM)

    rig.run(act)  # the loop refuses tasks that are left over

    assert (rig.taken.begun, rig.taken.said) == (1, [])


def test_events_left_out_are_told_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    rig = Rig(clock)

    def limited() -> int:
        raw = json.dumps({"type": "app_rate_limited", "team_id": "T0TEST", "minute_rate_limited": 1}).encode()
        return posted(EVENTS, raw, signed(raw, clock.now().timestamp()), rig=rig)

    assert [limited(), limited()] == [200, 200]
    assert [record.message for record in caplog.records] == ["Slack has left out events"]

    clock.advance(timedelta(hours=1))
    limited()
    assert len(caplog.records) == 2


def test_forgeries_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    for age in range(1000, 1010):
        posted(EVENTS, RAW, signed(RAW, NOW - age), rig=rig)
        posted(EVENTS, RAW, signed(RAW, NOW, secret=f"{age}"), rig=rig)

    reasons = [vars(record)["reason"] for record in caplog.records]
    assert reasons == ["it was signed 1000 s ago", "its signature is not by this signing secret"]


def test_nothing_that_was_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        heard(request(EVENTS, RAW, SIGNED))
        heard(request(EVENTS, RAW, {**SIGNED, "X-Slack-Signature": "v0=abc"}))
        heard(request(EVENTS, RAW[:-1], signed(RAW[:-1], NOW)))

    said = "".join(f"{vars(record)}" for record in caplog.records)
    assert "deploy" not in said
    assert SECRET not in said
