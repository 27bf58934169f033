"""Whatever comes in the place of DingTalk's payloads is nothing, or something that can be stored; never an error."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from slack_alert.channels.dingtalk.inbound.people import DingTalkPeople
from slack_alert.channels.dingtalk.inbound.translate import CARDS, MESSAGES, RobotArrival, robot_corporation, translate
from slack_alert.core.model.asked import AccountStatus
from slack_alert.core.structs import from_packed, to_packed
from tests.fakes.dingtalk_payloads import CORPORATION, message_body, press_body
from tests.fakes.slack_rules import Json
from tests.property.test_slack_payload_laws import TEXTS, VALUES, places

ARRIVAL = RobotArrival(
    "bot", "dingtalk.stream.bot", datetime(2026, 11, 30, tzinfo=timezone.utc), CORPORATION, "dingtalk:frame/f1"
)
PRESS = press_body("ack", "disk")
PAYLOADS: list[tuple[str, Json]] = [
    (MESSAGES, message_body("deploy shop")),
    (MESSAGES, message_body("deploy shop", direct=True)),
    (CARDS, PRESS),
    (CARDS, {**PRESS, "content": json.loads(PRESS["content"])}),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, object]:
    """Return a payload in which a few things are gone, or are something else."""
    topic, payload = draw(st.sampled_from(PAYLOADS))
    whole = {"": copy.deepcopy(payload)}
    for _ in range(draw(st.integers(1, 4))):
        path = ("", *draw(st.sampled_from(places(whole[""]))))
        within: object = whole
        for name in path[:-1]:
            within = within[name]  # type: ignore[index]
        assert isinstance(within, dict | list)
        if len(path) > 1 and isinstance(within, dict) and draw(st.booleans()):
            del within[path[-1]]
        else:
            within[path[-1]] = copy.deepcopy(draw(VALUES))  # type: ignore[index]
    return topic, whole[""]


@given(mutated())
def test_a_payload_that_is_not_as_dingtalk_writes_it_is_no_error(sent: tuple[str, object]) -> None:
    said = translate(*sent, ARRIVAL)
    robot_corporation(sent[1])

    if said is not None:
        assert from_packed(to_packed(said), type(said)) == said


@given(st.sampled_from([MESSAGES, CARDS]), VALUES)
def test_anything_at_all_is_nothing(topic: str, payload: object) -> None:
    assert translate(topic, payload, ARRIVAL) is None


@given(st.sampled_from(PAYLOADS), st.data())
def test_nobody_becomes_a_member_by_what_is_wrong(sent: tuple[str, Json], data: st.DataObject) -> None:
    topic, payload = sent
    names = ("senderStaffId", "senderCorpId", "chatbotCorpId", "userId", "corpId", "userIdType", "senderId")
    wrong = {name: data.draw(VALUES | TEXTS) for name in names if name in payload and data.draw(st.booleans())}
    body = {**payload, **wrong}

    said = translate(topic, body, ARRIVAL)

    if said is not None and DingTalkPeople().known(said.by).standing is AccountStatus.MEMBER:
        staff, home, own = (
            ("senderStaffId", "senderCorpId", body.get("chatbotCorpId"))
            if topic == MESSAGES
            else ("userId", "corpId", CORPORATION)
        )
        assert (said.by.user, said.by.team, said.by.team) == (body[staff], body[home], own)
