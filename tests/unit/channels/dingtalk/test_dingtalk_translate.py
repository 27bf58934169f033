"""What DingTalk tells a robot becomes what people say, and everything else becomes nothing."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone

import pytest

from slack_alert.channels.dingtalk.inbound.people import DingTalkPeople
from slack_alert.channels.dingtalk.inbound.translate import (
    CARDS,
    MESSAGES,
    RobotArrival,
    moment,
    robot_corporation,
    translate,
)
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, ButtonPress, ChatMessage, Identity, ReplyTo
from slack_alert.core.structs import replace
from tests.fakes.dingtalk_payloads import CONVERSATION, CORPORATION, ROBOT_USER, message_body, press_body
from tests.fakes.slack_rules import Json

AT = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
SINCE = datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
ARRIVAL = RobotArrival("bot", "dingtalk.stream.bot", AT, CORPORATION, "dingtalk:frame/f1")
ANN = Identity("dingtalk", CORPORATION, "0123", "Person 0123")
GROUP = ReplyTo(Address("dingtalk", f"bot/{CONVERSATION}"))
PEOPLE = DingTalkPeople()


def message(body: Json) -> ChatMessage:
    said = translate(MESSAGES, body, ARRIVAL)
    assert isinstance(said, ChatMessage)
    return said


def press(body: Json, arrival: RobotArrival = ARRIVAL) -> ButtonPress:
    said = translate(CARDS, body, arrival)
    assert isinstance(said, ButtonPress)
    return said


def standing(identity: Identity) -> AccountStatus:
    assert asyncio.run(PEOPLE.asker(identity)) == PEOPLE.known(identity)
    return PEOPLE.known(identity).standing


def without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def test_a_message_in_a_group_is_what_somebody_wrote() -> None:
    assert message(message_body("!deploy shop")) == ChatMessage(
        ids=("dingtalk:message/msg+1/A==", "dingtalk:frame/f1"),
        at=SINCE,
        by=ANN,
        reply_to=replace(GROUP, thread="@0123"),
        text="!deploy shop",
        door="dingtalk.stream.bot",
        is_mention=True,
    )


def test_a_message_to_the_robot_alone_is_answered_to_the_person() -> None:
    said = message(message_body("ping", direct=True))

    assert (said.is_direct, said.is_mention) == (True, False)
    assert said.reply_to == ReplyTo(Address("dingtalk", "bot/@0123"))


@pytest.mark.parametrize(("listed", "is_mention"), [(True, True), (False, False), (None, False), ("true", False)])
def test_only_who_is_addressed_is_mentioned(listed: object, *, is_mention: bool) -> None:
    assert message({**message_body("ping"), "isInAtList": listed}).is_mention is is_mention


def test_somebody_of_the_robots_corporation_is_a_member() -> None:
    assert standing(ANN) is AccountStatus.MEMBER


@pytest.mark.parametrize(
    "strange",
    [
        without(message_body("ping"), "senderStaffId"),
        {**message_body("ping"), "senderStaffId": ""},
        {**message_body("ping"), "senderStaffId": None},
        {**message_body("ping"), "senderStaffId": 123},
        {**message_body("ping"), "senderStaffId": "?0123"},
        {**message_body("ping"), "senderCorpId": "dinganother"},
        {**message_body("ping"), "senderCorpId": ""},
        without(message_body("ping"), "senderCorpId", "chatbotCorpId"),
        without(message_body("ping"), "senderId", "senderCorpId"),
        {**message_body("ping"), "chatbotCorpId": "dinganother"},
    ],
)
def test_who_is_not_of_the_robots_corporation_is_a_stranger_without_the_staff_id(strange: Json) -> None:
    by = message({**strange, "isAdmin": True}).by

    assert standing(by) is AccountStatus.STRANGER
    assert by.user != "0123"


def test_strangers_are_answered_where_they_wrote() -> None:
    body = without(message_body("ping", direct=True), "senderStaffId")

    assert message(body).reply_to.to.conversation == f"bot/{CONVERSATION}"


def test_an_account_of_another_service_is_unknown() -> None:
    assert standing(Identity("slack", "T0TEST", "U0ANN")) is AccountStatus.UNKNOWN
    assert standing(Identity("dingtalk", "", "0123")) is AccountStatus.STRANGER


def test_who_calls_himself_administrator_is_not_one() -> None:
    assert message({**message_body("ping"), "isAdmin": True}) == message(message_body("ping"))


@pytest.mark.parametrize(
    "shown",
    [
        {"msgtype": "richText", "content": {"richText": [{"text": "!deploy shop"}, {"downloadCode": "x"}]}},
        {"msgtype": "picture", "content": {"downloadCode": "x", "pictureDownloadCode": "y"}},
        {"msgtype": "audio", "content": {"duration": 4000, "downloadCode": "x", "recognition": "deploy shop"}},
        {"msgtype": "video", "content": {"duration": "4", "downloadCode": "x", "videoType": "mp4"}},
        {"msgtype": "file", "content": {"fileName": "deploy", "downloadCode": "x"}},
    ],
)
def test_pictures_recordings_and_formatted_texts_say_nothing_to_be_obeyed(shown: Json) -> None:
    assert message({**without(message_body("x"), "text"), **shown}).text == ""
    assert message({**message_body("!deploy shop"), **shown}).text == ""


@pytest.mark.parametrize(
    "fields",
    [
        *({"msgId": wrong} for wrong in (None, "", 5, ["x"], "x" * 201, "a b")),
        *({"conversationId": wrong} for wrong in (None, "", 5, "group", "cid", "cid/../@0123 x", "cid" + "x" * 300)),
        *({"conversationType": wrong} for wrong in (None, "", 1, "3", ["1"], {"a": 1})),
        *({"createAt": wrong} for wrong in (None, "", "soon", True, 0, -5, 1.5, 10**13, [1], "１７", "9" * 99)),
        *({"text": wrong} for wrong in (None, "ping", 5, ["ping"], {"content": 5}, {"content": "x" * 40_001})),
        {"text": {"content": "\ud800"}},
        *({"msgtype": wrong} for wrong in (None, 5, ["text"], {"a": 1}, "interactiveCard", "unknownMsgType")),
        {"senderId": ROBOT_USER},
        {"senderId": None, "senderStaffId": None},
    ],
)
def test_what_nobody_has_written_to_the_robot_is_nothing(fields: Json) -> None:
    assert translate(MESSAGES, {**message_body("!deploy shop"), **fields}, ARRIVAL) is None


@pytest.mark.parametrize("topic", [CARDS, "", "/v1.0/im/bot/messages/delegate", "*"])
def test_a_message_on_another_topic_is_nothing(topic: str) -> None:
    assert translate(topic, message_body("!deploy shop"), ARRIVAL) is None


@pytest.mark.parametrize("payload", [None, 5, "x", [], [message_body("ping")], json.dumps(message_body("ping"))])
def test_what_is_no_object_is_nothing(payload: object) -> None:
    assert translate(MESSAGES, payload, ARRIVAL) is None
    assert robot_corporation(payload) == ""


def test_a_press_is_what_somebody_pressed_on_a_card() -> None:
    assert press(press_body("ack", "disk.usage")) == ButtonPress(
        ids=("dingtalk:frame/f1",),
        at=AT,
        by=Identity("dingtalk", CORPORATION, "0123"),
        reply_to=GROUP,
        door="dingtalk.stream.bot",
        action="ack",
        value="disk.usage",
        message="card-1",
    )


def test_a_card_may_hold_objects_in_place_of_texts_in_json() -> None:
    body = press_body("ack", "disk.usage")

    assert press({**body, "content": json.loads(body["content"])}) == press(body)


def test_an_action_without_parameters_is_its_id() -> None:
    said = press(press_body("", content=json.dumps({"cardPrivateData": {"actionIds": ["whoami", "x"], "params": {}}})))

    assert (said.action, said.value) == ("whoami", "")


def test_two_presses_of_a_button_are_two_and_a_repetition_is_none() -> None:
    body = press_body("ack", "disk.usage")

    assert press(body).ids == press(body).ids != press(body, replace(ARRIVAL, known_by="dingtalk:frame/f2")).ids


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({}, CONVERSATION),
        ({"spaceType": "IM"}, CONVERSATION),
        ({"spaceType": "IM_ROBOT"}, "@0123"),
        ({"spaceId": "0123"}, "@0123"),
        ({"spaceId": None, "spaceType": None}, "@0123"),
    ],
)
def test_a_press_is_answered_where_the_card_is(fields: Json, place: str) -> None:
    assert press(press_body("ack", **fields)).reply_to.to.conversation == f"bot/{place}"


@pytest.mark.parametrize(
    "fields",
    [
        {"corpId": "dinganother"},
        {"corpId": None},
        {"corpId": ""},
        {"userIdType": 2},
        {"userIdType": True},
        {"userIdType": None},
        {"userIdType": [1]},
        {"userId": "$:LWCP_v1:$x"},
    ],
)
def test_who_pressed_and_is_not_known_to_be_of_the_corporation_is_a_stranger(fields: Json) -> None:
    by = press(press_body("ack", **fields)).by

    assert standing(by) is AccountStatus.STRANGER
    assert by.user != "0123"


@pytest.mark.parametrize("home", [CORPORATION, "", None])
def test_while_the_robots_corporation_is_not_known_who_presses_is_a_stranger(home: str | None) -> None:
    by = press(press_body("ack", corpId=home), replace(ARRIVAL, corporation="")).by

    assert standing(by) is AccountStatus.STRANGER


def test_who_pressed_is_the_same_person_as_who_wrote() -> None:
    assert press(press_body("ack")).by.key == message(message_body("ack")).by.key


@pytest.mark.parametrize(
    "fields",
    [
        *({"outTrackId": wrong} for wrong in (None, "", 5, ["x"])),
        *({"userId": wrong} for wrong in (None, "", 5, ["x"])),
        *({"content": wrong} for wrong in (None, "", 5, "{", "[]", "[" * 20_000, "\ud800", '{"cardPrivateData": 5}')),
        {"content": {"cardPrivateData": {"params": {"action": 5}, "actionIds": [5]}}},
        {"content": {"cardPrivateData": {"params": {"action": "ack", "value": 5}}}},
        {"content": {"cardPrivateData": {"params": {"action": "ack", "value": "x" * 2_001}}}},
        {"content": {"cardPrivateData": {"params": {"action": ""}, "actionIds": "ack"}}},
        {"userId": "$:LWCP_v1:$x", "spaceId": None},
    ],
)
def test_what_nobody_has_pressed_is_nothing(fields: Json) -> None:
    assert translate(CARDS, press_body("ack", "disk", **fields), ARRIVAL) is None


def test_a_press_that_is_known_by_nothing_is_nothing() -> None:
    assert translate(CARDS, press_body("ack"), replace(ARRIVAL, known_by="")) is None


@pytest.mark.parametrize(
    ("written", "at"), [(1_700_000_000_000, SINCE), ("1700000000000", SINCE), (1.7e12, None), ("", None), ("-1", None)]
)
def test_times_are_in_milliseconds(written: object, at: datetime | None) -> None:
    assert moment(written) == at
