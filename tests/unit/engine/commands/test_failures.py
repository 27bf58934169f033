"""What is told of commands that failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.commands.signature import Parameter
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Identity, ReplyTo
from slack_alert.core.model.run import Failure, Result
from slack_alert.core.structs import replace
from tests.fakes.chat_rig import OPS, ChatRig, command

ERRORS = Address("slack", "C0ERR")


def fails(rig: ChatRig, kind: str, place: str, message: str = "wrong") -> None:
    (run,) = rig.executor.begun
    host = rig.executor._host
    assert host is not None
    host.done(run, Result((), Failure(kind, message, place, "Traceback"), timedelta(seconds=3)))


@pytest.mark.parametrize(
    ("kind", "place", "is_shown"),
    [
        ("TypeError", "plugins/plugin.py:1", True),
        ("BadValue", "plugins/plugin.py:1", True),
        ("TypeError", "plugins/plugin.py:7", False),
        ("ValueError", "plugins/plugin.py:7", False),
        ("ValueError", "plugins/plugin.py:1", False),
        ("OSError", "plugins/plugin.py:1", False),
    ],
)
def test_usage_is_shown_where_the_call_itself_failed(kind: str, place: str, is_shown: bool) -> None:
    rig = ChatRig(command("deploy", parameters=(Parameter("app"),)))
    rig.says("ann", "deploy shop")
    fails(rig, kind, place)

    assert ("Usage: `deploy APP`" in rig.answers[0]) is is_shown


@pytest.mark.parametrize("start", ["!", "/", ".", ">", "#"])
def test_what_others_are_told_begins_with_no_prefix_of_another_bot(start: str) -> None:
    rig = ChatRig(command(f"{start}deploy", errors_to=ERRORS), command("deploy"))
    asked = AskedCommand(("1",), rig.clock.now(), Identity("slack", "T1", "U1", "ann"), ReplyTo(OPS), "x", "slack")
    answers = rig.runner._answers

    told = answers.failure_to(replace(asked, run=1, words=f"{start}deploy"), Failure("E", "x" * 5000, "p", "t"), ERRORS)
    bare = answers._asked_line(replace(asked, by=Identity("slack", "T1", "U1", f"{start}ann"), words="deploy"))

    assert fallback(told.piece)[:1] not in "!/.>#"
    assert len(fallback(told.piece)) <= 1001
    assert bare[:1] not in "!/.>#"


@pytest.mark.parametrize("text", ["deploy shop", "deplyo", "deploy"])
def test_what_is_refused_to_another_bot_is_recorded_and_not_answered(text: str) -> None:
    rig = ChatRig(command("deploy", parameters=(Parameter("app"),)))
    rig.people.standings["robot"] = AccountStatus.BOT
    rig.says("robot", text)

    assert rig.answers == []
    assert [each.entry.by for each in rig.store.audit(since=None, limit=None) if each.entry] == ["slack:T1/robot"]
    assert rig.store.open().asked == ()


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deplyo shop")

    assert rig.answers == ["1: not run: There is no command 'deplyo'.\nDid you mean deploy?"]
