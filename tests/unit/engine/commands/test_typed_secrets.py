"""A line that holds a secret is kept as it was typed for as long as its run has not begun, and no longer."""

from __future__ import annotations

from slack_alert.core.commands.signature import Parameter
from slack_alert.core.model.asked import AskedCommand
from tests.fakes.chat_rig import ChatRig, command

DEPLOY = command("deploy", parameters=(Parameter("app"), Parameter("token", is_secret=True)))
LINE = "deploy shop tok-4711"


def kept(rig: ChatRig) -> list[str]:
    asked: tuple[AskedCommand, ...] = rig.store.open().asked
    return [each.text for each in asked]


def test_a_line_with_a_secret_is_kept_while_it_waits_and_not_while_it_runs() -> None:
    rig = ChatRig(DEPLOY)
    rig.says("ann", LINE)
    rig.says("bob", LINE)
    before = kept(rig)
    rig.executor.end(1)

    assert before == ["deploy shop ***", LINE]
    assert kept(rig) == ["deploy shop ***"]


def test_a_line_without_a_secret_is_kept_as_it_is() -> None:
    rig = ChatRig(command("deploy", parameters=(Parameter("app"),)))
    rig.says("ann", "deploy  shop")

    assert kept(rig) == ["deploy  shop"]


def test_a_run_with_a_secret_that_was_cut_off_is_told_and_does_not_begin_again() -> None:
    rig = ChatRig(DEPLOY)
    rig.says("ann", LINE)
    rig.start()

    assert rig.executor.begun == []
    assert [each.entry.verdict for each in rig.store.audit(since=None, limit=None) if each.entry] == ["interrupted"]


def test_a_run_with_a_secret_that_waited_begins_with_it_after_a_kill() -> None:
    rig = ChatRig(DEPLOY)
    rig.says("ann", "deploy blog tok-0815")
    rig.says("bob", LINE)
    rig.start()
    (run,) = rig.executor.begun

    assert run.arguments is not None
    assert run.arguments.values == {"app": "shop", "token": "tok-4711"}


def test_a_failed_run_with_a_secret_tells_what_to_fill_in() -> None:
    rig = ChatRig(DEPLOY)
    rig.says("ann", LINE)
    rig.executor.end(1, error="no")

    assert "`!deploy shop token=<token>` tries it again." in rig.answers[0]


def test_a_run_with_a_secret_that_was_cut_off_tells_what_to_fill_in() -> None:
    rig = ChatRig(DEPLOY)
    rig.says("ann", LINE)
    rig.start()

    assert "`!deploy shop token=<token>` runs it again." in rig.answers[0]
