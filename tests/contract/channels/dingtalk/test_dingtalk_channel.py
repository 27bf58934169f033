"""The channel to DingTalk against a fake of its API: what robots post, edit and are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from slack_alert.channels.dingtalk.access import DingTalkAccess
from slack_alert.channels.dingtalk.channel import DingTalkChannel, Robot
from slack_alert.core.content.pieces import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.capabilities import adapted
from slack_alert.core.model.message import Button, Delivery, DeliveryMode, Message, RunPart
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import replace
from slack_alert.engine.clock import SystemClock
from tests.fakes.dingtalk import ACCESS_TOKEN, FakeDingTalk
from tests.fakes.dingtalk_payloads import CLIENT_ID, CLIENT_SECRET, CONVERSATION

pytestmark = pytest.mark.slow

GROUP, BOT = "ops", f"bot/{CONVERSATION}"
SECRET = "SEC0123"


@pytest.fixture
def dingtalk() -> Iterator[FakeDingTalk]:
    with FakeDingTalk() as fake:
        yield fake


class Sending:
    """A channel that is open meanwhile."""

    def __init__(self, dingtalk: FakeDingTalk, **robot: Any) -> None:
        clock = SystemClock()
        robots = [
            Robot("ops", webhook=dingtalk.webhook, **robot),
            Robot(
                "bot", client_id=CLIENT_ID, client_secret=robot.get("client_secret", CLIENT_SECRET),
                robot_code=CLIENT_ID, api_url=dingtalk.url, takes_presses=True,
            ),
        ]  # fmt: skip
        self.channel = DingTalkChannel(robots, DingTalkAccess(), clock)
        self.clock = clock

    def run(self, act: Callable[[], Awaitable[SendResult]]) -> SendResult:
        async def whole() -> SendResult:
            await self.channel.open()
            try:
                return await act()
            finally:
                await self.channel.close()

        return asyncio.run(whole())

    def send(self, text: str = "late", to: str = GROUP, *, follows: str | None = None, **fields: Any) -> SendResult:
        """Send a message as the sender does: as far as the channel can."""
        now = self.clock.now()
        origin = RunPart("db.lag", now, 7, fields.pop("n", 0))
        message = Message(fields.pop("key", origin.key), Address("dingtalk", to), Text(text), origin, **fields)

        async def act() -> SendResult:
            meant = adapted(message, self.channel.capabilities(message.to))
            if meant is None:
                return SendResult(SendStatus.SENT, follows)
            return await self.channel.send(Delivery(1, meant, now, follows=follows), None)

        return self.run(act)


def test_a_robot_of_a_group_posts_a_signed_text_with_its_keyword(dingtalk: FakeDingTalk) -> None:
    robot = dingtalk.robots[ACCESS_TOKEN]
    robot.secret, robot.keyword = SECRET, "alert"

    assert Sending(dingtalk, secret=SECRET, keyword="alert").send() == SendResult(SendStatus.SENT)
    assert dingtalk.texts() == ["late\nalert"]


@pytest.mark.parametrize(
    ("robot", "said", "status", "hint"),
    [
        ({"secret": SECRET}, {}, SendStatus.RETRY, "copy `secret`"),
        ({"secret": SECRET}, {"secret": "another"}, SendStatus.RETRY, "copy `secret`"),
        ({"keyword": "alert"}, {}, SendStatus.RETRY, "set `keyword`"),
    ],
)
def test_what_is_set_up_otherwise_is_told_and_the_message_waits(
    dingtalk: FakeDingTalk, robot: dict[str, str], said: dict[str, str], status: SendStatus, hint: str
) -> None:
    for name, value in robot.items():
        setattr(dingtalk.robots[ACCESS_TOKEN], name, value)
    outcome = Sending(dingtalk, **said).send()

    assert (outcome.status, hint in outcome.hint, dingtalk.texts()) == (status, True, [])
    assert SECRET not in f"{outcome}"


def test_a_robot_that_is_gone_is_told(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)
    dingtalk.robots.clear()
    outcome = sending.send()

    assert (outcome.status, outcome.reason) == (SendStatus.RETRY, "errcode 300005")
    assert "copy `webhook`" in outcome.hint


def test_after_twenty_in_a_minute_it_waits_for_ten(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)
    outcomes = [sending.send(key=f"k{n}") for n in range(21)]

    assert [each.status for each in outcomes] == [SendStatus.SENT] * 20 + [SendStatus.WAIT]
    assert outcomes[-1].after == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((200, "<html>login</html>"), SendStatus.AMBIGUOUS),
        ((200, "[]"), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": true}'), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": -1, "errmsg": "busy"}'), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": 987654, "errmsg": "?"}'), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": 40035, "errmsg": "?"}'), SendStatus.PAYLOAD),
        ((200, '{"errcode": 130101, "errmsg": "?"}'), SendStatus.WAIT),
        ((302, ""), SendStatus.RETRY),
        ((403, "<html>"), SendStatus.RETRY),
        ((502, "bad gateway"), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": 0'), SendStatus.AMBIGUOUS),
        ((200, '{"errcode": 0}'), SendStatus.SENT),
    ],
)
@pytest.mark.parametrize("path", ["/robot/send"])
def test_each_answer_of_a_robot_has_an_outcome(
    dingtalk: FakeDingTalk, path: str, answer: tuple[int, str], status: SendStatus
) -> None:
    dingtalk.answers[path] = [answer]

    assert Sending(dingtalk).send().status is status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((200, "<html>"), SendStatus.AMBIGUOUS),
        ((400, '{"code": "param.error"}'), SendStatus.PAYLOAD),
        ((400, '{"code": "param.spaceNotExist"}'), SendStatus.DESTINATION),
        ((403, '{"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}'), SendStatus.WAIT),
        ((403, '{"code": "Forbidden.AccessDenied"}'), SendStatus.DESTINATION),
        ((429, '{"code": "Throttling"}'), SendStatus.WAIT),
        ((500, '{"code": "system.error"}'), SendStatus.AMBIGUOUS),
        ((503, "down"), SendStatus.AMBIGUOUS),
        ((404, "<html>"), SendStatus.RETRY),
    ],
)
def test_each_answer_about_a_card_has_an_outcome(
    dingtalk: FakeDingTalk, answer: tuple[int, str], status: SendStatus
) -> None:
    dingtalk.answers["/v1.0/card/instances/createAndDeliver"] = [answer]

    assert Sending(dingtalk).send(to=BOT).status is status


def test_nobody_there_is_no_doubt(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)
    dingtalk.stop_listening()
    outcome = sending.send()

    assert (outcome.status, outcome.hint.startswith("cannot connect to DingTalk")) == (SendStatus.RETRY, True)


def test_a_card_is_posted_edited_and_calls_who_asked(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)
    first = sending.send("queued", BOT, key="k0", thread="@0123")
    edits = [
        sending.send(text, BOT, key=f"k{n}", n=n, follows=first.receipt, manner=DeliveryMode.EDIT, root="k0", **fields)
        for n, (text, fields) in enumerate([("running 40 %", {"is_passing": True}), ("done", {})], 1)
    ]

    assert [each.status for each in (first, *edits)] == [SendStatus.SENT] * 3
    assert dingtalk.card_texts() == [["queued", "running 40 %", "done"]]
    assert [card.called for card in dingtalk.cards.values()] == [{"0123": "0123"}]


def test_the_same_message_again_is_the_same_card(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)
    receipts = {sending.send(to=BOT, key="k").receipt for _ in range(3)}

    assert (len(receipts), dingtalk.card_texts()) == (1, [["late"]])


def test_a_card_has_the_buttons_of_its_message(dingtalk: FakeDingTalk) -> None:
    Sending(dingtalk).send(to=BOT, buttons=(Button("Mute 1 h", "mute", "db lag", "for 1h"),))
    (card,) = dingtalk.cards.values()

    assert card.shown[0]["sys_full_json_obj"] == (
        '{"msgButtons": [{"text": "Mute 1 h", "color": "gray", "id": "mute", "request": true, '
        '"params": {"action": "mute", "value": "\\"db lag\\" for 1h"}}]}'
    )


def test_a_person_is_written_to_alone(dingtalk: FakeDingTalk) -> None:
    assert Sending(dingtalk).send(to="bot/@0123").status is SendStatus.SENT
    assert [card.space for card in dingtalk.cards.values()] == ["dtv1.card//IM_ROBOT.0123"]


def test_a_token_is_asked_for_once_and_renewed_when_it_is_refused(dingtalk: FakeDingTalk) -> None:
    sending = Sending(dingtalk)

    async def act() -> SendResult:
        for key in ("a", "b"):
            await sending.channel.send(_delivery(key), None)
        dingtalk.tokens.append("another")
        return await sending.channel.send(_delivery("c"), None)

    assert sending.run(act).status is SendStatus.SENT
    assert (dingtalk.paths.count("/v1.0/oauth2/accessToken"), len(dingtalk.cards)) == (2, 3)


def test_wrong_credentials_are_told_and_the_message_waits(dingtalk: FakeDingTalk) -> None:
    outcome = Sending(dingtalk, client_secret="wrong-secret").send(to=BOT)

    assert (outcome.status, outcome.reason) == (SendStatus.RETRY, "invalidClientIdOrSecret")
    assert "check `client_id` and `client_secret`" in outcome.hint
    assert "wrong-secret" not in f"{outcome}"


def test_where_no_cards_may_be_sent_it_answers_in_words_while_it_can(dingtalk: FakeDingTalk) -> None:
    dingtalk.may_send_cards = False
    sending = Sending(dingtalk)
    now = sending.clock.now()
    sending.channel.keep_session(BOT, dingtalk.session, now + timedelta(hours=1))
    outcomes = [
        sending.send("queued", BOT, key="k0", thread="@0123"),
        sending.send("40 %", BOT, key="k1", manner=DeliveryMode.EDIT, root="k0", is_passing=True),
        sending.send("done", BOT, key="k2", manner=DeliveryMode.EDIT, root="k0", thread="@0123"),
    ]

    assert [each.status for each in outcomes] == [SendStatus.SENT] * 3
    assert [each["text"]["content"] for each in dingtalk.answered] == ["@0123 queued", "@0123 done"]

    sending.channel.keep_session(BOT, dingtalk.session, now)
    over = sending.send("more", BOT, key="k3")
    assert (over.status, over.reason) == (SendStatus.DESTINATION, "no session webhook")


@pytest.mark.parametrize(
    ("to", "hint"),
    [
        ("none", "write a section [dingtalk.none]"),
        ("bot", "set webhook in [dingtalk.bot], or name a conversation"),
        ("ops/cid1", "set client_id and client_secret in [dingtalk.ops]"),
    ],
)
def test_what_a_robot_cannot_do_is_told(dingtalk: FakeDingTalk, to: str, hint: str) -> None:
    outcome = Sending(dingtalk).send(to=to)

    assert (outcome.status, hint in outcome.hint) == (SendStatus.DESTINATION, True)


def test_no_secret_is_in_what_robots_say_of_themselves() -> None:
    robot = Robot("ops", webhook="https://x.example/hunter2", secret="hunter2", client_secret="hunter2")

    assert "hunter2" not in f"{robot!r}"


def _delivery(key: str) -> Delivery:
    now = SystemClock().now()
    message = Message(key, Address("dingtalk", BOT), Text("late"), RunPart("db.lag", now, 7))
    return Delivery(1, replace(message, key=key), now)
