"""The door of Stream mode: nothing that DingTalk brings is lost while sockets are replaced, cut and silent."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from slack_alert.channels.dingtalk.inbound.corporation import OwnCorporation
from slack_alert.channels.dingtalk.inbound.stream import DingTalkStreamDoor, StreamTimes
from slack_alert.channels.dingtalk.inbound.stream_socket import StreamSocket
from slack_alert.core.errors import StoreError
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.structs import replace
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Door, Intake
from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, CONVERSATION, CORPORATION, message_body
from tests.fakes.dingtalk_stream import CARDS, MESSAGES, FakeDingTalkStream
from tests.fakes.loopback import CERTIFICATE
from tests.fakes.relay import proxy, secured

#: As quick as can be, and nothing is replaced by itself.
QUICK = StreamTimes(first_wait=0.02, longest_wait=0.05, linger=0.2, shortest_life=0.0, opens_a_minute=10_000)
Result = TypeVar("Result")
pytestmark = pytest.mark.slow


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalkStream]:
    with FakeDingTalkStream() as fake:
        fake.rules.disconnect = 0.5
        yield fake
        assert fake.gateway.violations == []


class MemoryIntake:
    """Takes everything once, by its ids."""

    def __init__(self, meanwhile: Callable[[ChatMessage | ButtonPress], Awaitable[None]] | None = None) -> None:
        self.taken: list[ChatMessage | ButtonPress] = []
        self.calls = 0
        self._ids: set[str] = set()
        self._meanwhile = meanwhile

    async def take(self, said: ChatMessage | ButtonPress) -> None:
        self.calls += 1
        if self._meanwhile is not None:
            await self._meanwhile(said)
        if not self._ids.intersection(said.ids):
            self.taken.append(said)
        self._ids.update(said.ids)

    @property
    def texts(self) -> list[str]:
        return [said.text if isinstance(said, ChatMessage) else said.value for said in self.taken]


class Rig:
    """A door that is open, and what steers it."""

    def __init__(self, dingtalk: FakeDingTalkStream, door: DingTalkStreamDoor) -> None:
        self.dingtalk = dingtalk
        self.door = door

    async def do(self, act: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Steer the fake from a thread, so that the door goes on."""
        return await asyncio.to_thread(act, *arguments, **options)

    async def until(self, found: Callable[[], object]) -> None:
        """Wait for something here."""
        for _ in range(2_000):
            if found():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(self.door.state())

    async def opened(self, count: int = 1) -> list[int]:
        return await self.do(self.dingtalk.wait_for_sockets, count)

    async def says(self, *texts: str, **options: Any) -> None:
        for text in texts:
            await self.do(self.dingtalk.says, text, **options)


def using(
    dingtalk: FakeDingTalkStream,
    act: Callable[[Rig], Awaitable[Result]],
    *,
    intake: Intake | None = None,
    times: StreamTimes = QUICK,
    secret: str = CLIENT_SECRET,
    sessions: list[tuple[str, str, datetime]] | None = None,
    **options: Any,
) -> Result:
    """Run something with a door, and close it."""

    def keep_session(conversation: str, url: str, ends: datetime) -> None:
        if sessions is not None:
            sessions.append((conversation, url, ends))

    async def whole() -> Result:
        given = {"api_url": dingtalk.url, **options}
        door = DingTalkStreamDoor(
            "bot", CLIENT_ID, secret, SystemClock(), keep_session=keep_session, times=times, **given
        )
        running = asyncio.ensure_future(door.run(intake or MemoryIntake()))
        try:
            return await act(Rig(dingtalk, door))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert (door.state().is_open, door.state().reason) == (False, "not running")
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not {task for task in left if "slack_alert" in str(task.get_coro())}

    return asyncio.run(whole())


def test_a_door_is_a_door() -> None:
    door: Door = DingTalkStreamDoor("bot", "id", "secret", SystemClock(), keep_session=lambda *_: None)

    assert (door.name, door.state().is_open, door.state().reason) == (
        "dingtalk.stream.bot", False, "not connected yet",
    )  # fmt: skip


def test_what_people_say_and_press_is_taken_and_acknowledged(dingtalk: FakeDingTalkStream) -> None:
    intake, sessions = MemoryIntake(), list[tuple[str, str, datetime]]()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("deploy shop")
        await rig.says("status", direct=True)
        await rig.do(dingtalk.presses, "ack", "disk.usage")
        await rig.do(dingtalk.wait_for_acknowledgements, 3)
        assert rig.door.state().is_open

    using(dingtalk, act, intake=intake, sessions=sessions)
    assert intake.texts == ["deploy shop", "status", "disk.usage"]
    assert {said.door for said in intake.taken} == {"dingtalk.stream.bot"}
    assert {said.by.key for said in intake.taken} == {f"dingtalk:{CORPORATION}/0123"}
    assert [place for place, _, _ in sessions] == [f"bot/{CONVERSATION}", "bot/@0123"]
    assert [each.sent for each in dingtalk.gateway.callbacks] == [[1], [1], [1]]


def test_a_socket_is_asked_for_with_both_topics_and_no_address_of_this_network(dingtalk: FakeDingTalkStream) -> None:
    using(dingtalk, lambda rig: rig.opened())

    assert dingtalk.gateway.asked == [{
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "subscriptions": [{"type": "CALLBACK", "topic": MESSAGES}, {"type": "CALLBACK", "topic": CARDS}],
        "ua": "slack-alert",
        "localIp": "127.0.0.1",
    }]  # fmt: skip


def test_what_is_no_command_of_a_person_is_acknowledged_and_not_taken(dingtalk: FakeDingTalkStream) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(dingtalk.sends, MESSAGES, {}, "null", "{", "[" * 20_000, {**message_body("x"), "createAt": "soon"})
        await rig.do(dingtalk.sends, CARDS, {"content": "x"}, message_body("x"))
        await rig.do(dingtalk.sends, "*", {"eventId": "1"}, kind="EVENT")
        await rig.do(dingtalk.wait_for_acknowledgements, 8)

    using(dingtalk, act, intake=intake)
    assert intake.calls == 0


def test_pings_in_frames_are_answered_with_what_was_in_them(dingtalk: FakeDingTalkStream) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(dingtalk.pings, "opaque/é+1")
        await rig.do(dingtalk.wait, lambda: dingtalk.gateway.echoes)

    using(dingtalk, act)
    assert [json.loads(str(each)) for each in dingtalk.gateway.echoes.values()] == [{"opaque": "opaque/é+1"}]


def test_the_next_socket_is_open_before_one_that_was_told_to_disconnect_is_closed(dingtalk: FakeDingTalkStream) -> None:
    """The vendor's client closes first; what DingTalk sends in between never comes again."""
    dingtalk.rules.again, dingtalk.rules.disconnect = None, 30.0
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        for number in range(1, 6):
            await rig.do(dingtalk.wait, lambda: any(not link.is_leaving for link in dingtalk.gateway.links))
            await rig.says(f"deploy {number}")
            await rig.do(dingtalk.wait_for_acknowledgements, number)
            before = dingtalk.gateway.opened
            await rig.do(dingtalk.disconnects)
            # It was there while the last one still was.
            await rig.do(dingtalk.wait, lambda: dingtalk.gateway.opened > before)  # noqa: B023
            assert rig.door.state().is_open
        await rig.opened(1)

    using(dingtalk, act, intake=intake)
    assert intake.texts == [f"deploy {number}" for number in range(1, 6)]
    assert (dingtalk.gateway.opened, len(dingtalk.gateway.asked)) == (6, 6)
    assert dingtalk.gateway.most > 1


def test_a_silent_socket_that_still_answers_pings_is_replaced(dingtalk: FakeDingTalkStream) -> None:
    """Such sockets live on for hours: open, answering pings, and nothing is delivered by them."""
    dingtalk.rules.keepalive, dingtalk.rules.again = 0.05, 0.3
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        first = (await rig.opened())[0]
        await rig.do(dingtalk.silence, first)
        await rig.says("deploy shop")
        await rig.do(dingtalk.wait, lambda: dingtalk.gateway.opened > 1)
        await rig.do(dingtalk.wait_for_acknowledgements, 1)
        await rig.opened(1)

    using(dingtalk, act, intake=intake, times=replace(QUICK, silence=0.4, ping=0.05))
    assert intake.texts == ["deploy shop"]
    assert dingtalk.gateway.callbacks[0].sent[0] == 1


@pytest.mark.parametrize("sign", ["keepalive", "ping"])
def test_a_socket_that_gives_signs_of_life_is_kept(dingtalk: FakeDingTalkStream, sign: str) -> None:
    dingtalk.rules.keepalive = dingtalk.rules.ping = None
    setattr(dingtalk.rules, sign, 0.05)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await asyncio.sleep(1.5)
        assert bool(dingtalk.gateway.links[0].pongs) is (sign == "ping")

    using(dingtalk, act, times=replace(QUICK, silence=1.0, ping=0.05))
    assert dingtalk.gateway.opened == 1


def test_what_was_not_acknowledged_comes_again_and_is_taken_once(dingtalk: FakeDingTalkStream) -> None:
    """The same message again after a minute was answered twice by others: it is known by its id."""
    dingtalk.rules.again, dingtalk.rules.copies = 0.1, 3
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("deploy shop", "status")
        await rig.do(dingtalk.presses, "ack", "disk.usage")
        await rig.do(dingtalk.wait_for_acknowledgements, 3)

    using(dingtalk, act, intake=intake)
    assert Counter(intake.texts) == {"deploy shop": 1, "status": 1, "disk.usage": 1}
    assert intake.calls == 9


def test_nothing_unacknowledged_is_lost_while_sockets_are_cut_and_replaced_all_the_time(
    dingtalk: FakeDingTalkStream,
) -> None:
    dingtalk.rules.again, dingtalk.rules.copies, dingtalk.rules.disconnect = 0.1, 2, 0.2
    intake = MemoryIntake(lambda _: asyncio.sleep(0.01))

    async def act(rig: Rig) -> None:
        await rig.opened()
        for number in range(60):
            await rig.says(f"deploy {number}")
            await rig.do((dingtalk.kill, dingtalk.disconnects, lambda: None)[number % 3])
        await rig.until(lambda: len(intake.taken) == 60)
        await rig.do(dingtalk.wait_for_acknowledgements, 60)

    using(dingtalk, act, intake=intake)
    assert Counter(intake.texts) == Counter(f"deploy {number}" for number in range(60))
    assert dingtalk.gateway.opened > 10


def test_a_socket_that_is_cut_before_its_acknowledgement_has_still_been_heard(dingtalk: FakeDingTalkStream) -> None:
    dingtalk.rules.again = 0.2
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def meanwhile(_: object) -> None:
        begun.set()
        await goes_on.wait()

    intake = MemoryIntake(meanwhile)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("deploy shop")
        await begun.wait()
        await rig.do(dingtalk.kill)
        await rig.do(dingtalk.wait, lambda: dingtalk.gateway.opened == 2)
        goes_on.set()
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake)
    assert intake.texts == ["deploy shop"]
    assert intake.calls > 1


def test_what_the_store_does_not_take_at_first_is_taken_though_it_never_comes_again(
    dingtalk: FakeDingTalkStream, caplog: pytest.LogCaptureFixture
) -> None:
    dingtalk.rules.again = None
    failures = iter([StoreError("full: deploy shop"), OSError("deploy shop"), None])

    async def meanwhile(_: object) -> None:
        if (error := next(failures)) is not None:
            raise error

    intake = MemoryIntake(meanwhile)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("deploy shop")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake, times=replace(QUICK, again=(0.01, 0.01)))
    assert intake.texts == ["deploy shop"]
    assert [vars(each)["error"] for each in caplog.records if each.message == "not taken"] == ["StoreError", "OSError"]
    assert "deploy" not in "".join(str(vars(each)) for each in caplog.records)


def test_what_the_store_never_takes_is_not_acknowledged(dingtalk: FakeDingTalkStream) -> None:
    async def meanwhile(said: ChatMessage | ButtonPress) -> None:
        if isinstance(said, ChatMessage) and said.text == "lost":
            raise StoreError("full")

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("lost")
        await asyncio.sleep(0.1)
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=MemoryIntake(meanwhile), times=replace(QUICK, again=(0.01,)))
    assert [each.is_acknowledged for each in dingtalk.gateway.callbacks] == [False, True]


def test_what_takes_long_is_acknowledged_late_and_not_given_up(
    dingtalk: FakeDingTalkStream, caplog: pytest.LogCaptureFixture
) -> None:
    intake = MemoryIntake(lambda _: asyncio.sleep(0.3))

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("deploy shop")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake, times=replace(QUICK, take=0.05))
    assert intake.texts == ["deploy shop"]
    assert [each.message for each in caplog.records if each.levelno == logging.WARNING] == [
        "acknowledged late, as it takes too long to keep"
    ]


def test_one_that_takes_long_does_not_keep_others_waiting(dingtalk: FakeDingTalkStream) -> None:
    goes_on = asyncio.Event()

    async def meanwhile(said: ChatMessage | ButtonPress) -> None:
        if isinstance(said, ChatMessage) and said.text == "slow":
            await goes_on.wait()

    intake = MemoryIntake(meanwhile)

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("slow", "quick")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)
        goes_on.set()
        await rig.do(dingtalk.wait_for_acknowledgements, 2)

    using(dingtalk, act, intake=intake)
    assert intake.texts == ["quick", "slow"]


GARBAGE: list[str | bytes] = [
    "", "null", "5", "{}", "[]", "{", "[" * 20_000, '{"type": 5}', '{"type": "CALLBACK"}', b"\x00\xff",
    '{"type": "CALLBACK", "headers": {}}', '{"type": "CALLBACK", "headers": {"messageId": 5}}',
    '{"type": "CALLBACK", "headers": {"messageId": "x", "topic": {}}}', '{"type": "SYSTEM", "headers": ["x"]}',
    json.dumps({"type": "NEW", "headers": {"messageId": "n1", "topic": "x"}}),
    json.dumps({"type": "CALLBACK", "headers": {"messageId": "é" * 5, "topic": MESSAGES}}),
]  # fmt: skip


def test_garbage_is_passed_over_and_logged_once(dingtalk: FakeDingTalkStream, caplog: pytest.LogCaptureFixture) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        for frame in GARBAGE * 2:
            await rig.do(dingtalk.writes, frame)
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake)
    assert (intake.texts, dingtalk.gateway.opened) == (["status"], 1)
    assert sorted(each.message for each in caplog.records if each.levelno >= logging.WARNING) == [
        "frame of an unknown kind", "unreadable frame",
    ]  # fmt: skip


def test_a_frame_without_measure_ends_a_socket_and_not_the_door(dingtalk: FakeDingTalkStream) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(dingtalk.writes, "x" * 5_000_000)
        await rig.do(dingtalk.wait, lambda: dingtalk.gateway.opened == 2)
        await rig.opened()
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake)
    assert intake.texts == ["status"]


def test_refused_credentials_end_the_attempts_and_are_told(
    dingtalk: FakeDingTalkStream, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(rig: Rig) -> None:
        await rig.until(lambda: "next start" in rig.door.state().reason)
        await asyncio.sleep(0.3)
        assert rig.door.state().reason == (
            "authFailed: check `client_id` and `client_secret` (Credentials of the app at "
            "https://open-dev.dingtalk.com), and that a version of the app is published; not tried again before the "
            "next start"
        )

    using(dingtalk, act, secret="wrong-secret")
    assert len(dingtalk.gateway.asked) == QUICK.refusals
    assert [each.message for each in caplog.records] == ["no socket", "no socket"]
    assert [each.levelno for each in caplog.records] == [logging.WARNING, logging.ERROR]
    assert "wrong-secret" not in "".join(str(vars(each)) for each in caplog.records)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "<html>proxy</html>", "HTTP 401"),
        (400, "<html>The plain HTTP request was sent to HTTPS port</html>", "HTTP 400"),
        (403, '{"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}', "Forbidden.AccessDenied.QpsLimit"),
        (429, "", "HTTP 429"),
        (500, '{"code": "ServiceUnavailable"}', "ServiceUnavailable"),
        (502, "", "HTTP 502"),
        (200, "", "unreadable answer"),
        (200, "[]", "unreadable answer"),
        (200, '{"endpoint": "ws://x"}', "unreadable answer"),
        (200, '{"endpoint": 5, "ticket": "x"}', "unreadable answer"),
        (200, '{"endpoint": "http://127.0.0.1:1/", "ticket": "x"}', "unreadable answer"),
        (200, '{"endpoint": "ws://[", "ticket": "x"}', "unreadable answer"),
        (200, "x" * 100_000, "unreadable answer"),
        (302, "", "HTTP 302"),
        (500, '{"code": "秘密 <secret>"}', "HTTP 500"),
    ],
)
def test_every_other_refusal_is_tried_again(dingtalk: FakeDingTalkStream, status: int, body: str, reason: str) -> None:
    dingtalk.rules.refusal = (status, body)
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.until(lambda: len(dingtalk.gateway.asked) > 4)
        await rig.until(lambda: rig.door.state().reason.startswith(reason))
        assert "tried again within a minute" in rig.door.state().reason
        dingtalk.rules.refusal = None
        await rig.opened()
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    using(dingtalk, act, intake=intake)
    assert intake.texts == ["status"]


def test_while_dingtalk_is_away_it_is_tried_again(dingtalk: FakeDingTalkStream) -> None:
    intake = MemoryIntake()

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(dingtalk.stop_listening)
        await rig.until(lambda: not rig.door.state().is_open)
        await rig.until(lambda: "cannot connect to DingTalk" in rig.door.state().reason)
        await rig.do(dingtalk.start_listening)
        await rig.opened()
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)
        await rig.until(lambda: rig.door.state().is_open)

    using(dingtalk, act, intake=intake)
    assert intake.texts == ["status"]


def test_sockets_that_are_closed_at_once_are_asked_for_more_and_more_slowly(dingtalk: FakeDingTalkStream) -> None:
    """Others have asked without a pause, until the machine had no ports left."""
    dingtalk.rules.is_flapping = True

    async def act(rig: Rig) -> None:
        await rig.until(lambda: "closed: " in rig.door.state().reason)
        await asyncio.sleep(1.0)

    times = replace(QUICK, first_wait=0.1, longest_wait=60.0, shortest_life=10.0)
    using(dingtalk, act, times=times)
    assert dingtalk.gateway.opened <= 6


def test_there_are_never_more_sockets_than_two(dingtalk: FakeDingTalkStream) -> None:
    """Others have left the old one open at every reconnection."""
    dingtalk.rules.disconnect = 30.0

    async def act(rig: Rig) -> None:
        for _ in range(8):
            await rig.opened(1)
            before = dingtalk.gateway.opened
            await rig.do(dingtalk.disconnects)
            await rig.do(dingtalk.wait, lambda: dingtalk.gateway.opened > before)  # noqa: B023
        await rig.opened(1)

    using(dingtalk, act)
    assert dingtalk.gateway.most == 2


def test_a_socket_is_never_opened_in_the_clear_where_the_ticket_was_not() -> None:
    from slack_alert.channels.dingtalk.inbound.gateway import NoSocketError, _socket_url

    said = {"endpoint": "ws://wss-open-connection.dingtalk.com/connect", "ticket": "t"}
    with pytest.raises(NoSocketError):
        _socket_url(said, "https://api.dingtalk.com")
    secure = {**said, "endpoint": "wss://wss-open-connection.dingtalk.com:443/connect", "ticket": "a+b/="}
    assert _socket_url(secure, "https://api.dingtalk.com") == (
        "wss://wss-open-connection.dingtalk.com:443/connect?ticket=a%2Bb%2F%3D"
    )


def test_a_file_of_certificates_that_cannot_be_read_is_told(dingtalk: FakeDingTalkStream, tmp_path: Any) -> None:
    async def act(rig: Rig) -> None:
        await rig.until(lambda: "cannot be used" in rig.door.state().reason)

    using(dingtalk, act, ca_file=tmp_path / "none.pem")


def test_sockets_go_through_the_configured_proxy(dingtalk: FakeDingTalkStream) -> None:
    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.says("status")
        await rig.do(dingtalk.wait_for_acknowledgements, 1)

    with proxy() as (address, asked):
        using(dingtalk, act, proxy=address)
        assert (sum("/connections/open" in line for line in asked), sum("/connect?" in line for line in asked)) == (
            1,
            1,
        )


@pytest.mark.parametrize(("no_proxy", "through"), [("", 2), ("127.0.0.1", 0)])
def test_sockets_go_through_the_proxy_of_the_environment_but_for_hosts_it_excepts(
    dingtalk: FakeDingTalkStream, monkeypatch: pytest.MonkeyPatch, no_proxy: str, through: int
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with proxy() as (address, asked):
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.setenv("no_proxy", no_proxy)
        using(dingtalk, lambda rig: rig.opened())
        assert sum("/connect" in line for line in asked) == through


def test_the_configured_authority_is_trusted_and_no_other(dingtalk: FakeDingTalkStream) -> None:
    async def in_vain(rig: Rig) -> None:
        await rig.until(lambda: "certificate" in rig.door.state().reason.lower())

    with secured(urlsplit(dingtalk.url).port or 0) as port:
        api_url = dingtalk.gateway.origin = f"https://localhost:{port}"
        using(dingtalk, lambda rig: rig.opened(), api_url=api_url, ca_file=CERTIFICATE)
        using(dingtalk, in_vain, api_url=api_url)


def test_a_proxy_that_is_away_is_told_without_its_password(dingtalk: FakeDingTalkStream) -> None:
    async def act(rig: Rig) -> None:
        await rig.until(lambda: "tried again" in rig.door.state().reason)
        assert "hunter2" not in rig.door.state().reason

    using(dingtalk, act, proxy="http://me:hunter2@127.0.0.1:9")


def test_whose_robot_it_is_is_learned_from_messages_and_decides_who_presses(dingtalk: FakeDingTalkStream) -> None:
    intake = MemoryIntake()
    corporation = OwnCorporation("bot")

    async def act(rig: Rig) -> None:
        await rig.opened()
        await rig.do(dingtalk.presses, "ack", "before")
        await rig.says("status")
        await rig.do(dingtalk.presses, "ack", "after")
        await rig.do(dingtalk.presses, "ack", "elsewhere", corpId="dinganother")
        await rig.do(dingtalk.wait_for_acknowledgements, 4)

    using(dingtalk, act, intake=intake, corporation=corporation)
    assert [said.by.user for said in intake.taken] == ["?0123", "0123", "0123", "?0123"]
    assert corporation.id == CORPORATION


def test_a_door_is_shut_where_a_cancellation_is_lost(
    dingtalk: FakeDingTalkStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where what was waited for comes at the same moment: another socket is opened before it is cancelled again."""
    lost = list[str]()
    ends = StreamSocket.ends

    async def lose_the_first(socket: StreamSocket, *, within: float) -> bool:
        try:
            return await ends(socket, within=within)
        except asyncio.CancelledError:
            if lost:
                raise
            lost.append("cancelled")
            return True

    monkeypatch.setattr(StreamSocket, "ends", lose_the_first)

    async def act(rig: Rig) -> None:
        await rig.opened()

    using(dingtalk, act)
    assert lost == ["cancelled"]
