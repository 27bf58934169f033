from __future__ import annotations

import asyncio

from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ChatMessage, Identity, ReplyTo
from slack_alert.engine.commands.intake import ChatIntake
from tests.fakes.engine_rig import at, make_rule
from tests.unit.engine.test_engine_events import Stored


def wrote(text: str, number: str = "1.1") -> ChatMessage:
    ann = Identity("slack", "T1", "U1", "ann")
    return ChatMessage((number,), at("16 09:01"), ann, ReplyTo(Address("slack", "C1")), text, "slack.socket")


def test_a_message_that_is_no_command_is_an_event_for_the_rules_that_wait_for_it_and_comes_once() -> None:
    life = Stored(make_rule("watch.chat", on="chat.message"))
    intake = ChatIntake(life.rig.engine, lambda _: None)

    for message in (wrote("the site is down"), wrote("the site is down"), wrote("thanks", "1.2")):
        asyncio.run(intake.take(message))

    kept = [one.event for one in life.store.events(limit=9)]
    assert [(one.name, one.by, one.fields["text"]) for one in kept] == [
        ("chat.message", "slack:T1/U1", "the site is down"),
        ("chat.message", "slack:T1/U1", "thanks"),
    ]


def test_where_no_rule_waits_for_it_a_message_leaves_nothing() -> None:
    life = Stored(make_rule("watch.all", on="*"))

    asyncio.run(ChatIntake(life.rig.engine, lambda _: None).take(wrote("hello")))

    assert life.store.events(limit=9) == []
