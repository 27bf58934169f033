"""Who is told when commands start and end."""

from __future__ import annotations

from slack_alert.core.content.markup import plain
from slack_alert.core.content.pieces import fallback
from slack_alert.core.model.address import Address
from tests.fakes.chat_rig import OPS, ChatRig, command, text_parameter

RELEASES = Address("slack", "#releases")


def told(rig: ChatRig, to: Address) -> list[str]:
    found = [one.message for one in rig.store.deliveries() if one.message.key.startswith("subscription/")]
    return [plain(fallback(message.piece)) for message in found if message.to == to]


def deploying() -> ChatRig:
    return ChatRig(command("deploy", parameters=(text_parameter("app"),)))


def test_a_command_is_told_of_as_it_starts_and_as_it_ends() -> None:
    rig = deploying()
    rig.subscriptions.add("plugin.deploy", OPS)
    rig.says("ann", "deploy shop")
    rig.says("bob", "deploy blog")
    rig.executor.end(1)
    rig.executor.end(2, error="no disk")

    assert told(rig, OPS) == [
        "deploy shop of ann (1): started",
        "deploy shop of ann (1): done in 3 s",
        "deploy blog of bob (2): started",
        "deploy blog of bob (2): failed in 3 s",
    ]


def test_another_conversation_reads_neither_arguments_nor_values() -> None:
    rig = deploying()
    rig.subscriptions.add("plugin.deploy", RELEASES)
    rig.says("ann", "deploy secret-shop")
    rig.executor.end(1, value="secret value")

    assert told(rig, RELEASES) == ["deploy of ann (1): started", "deploy of ann (1): done in 3 s"]


def test_of_a_single_run_its_end_is_told() -> None:
    rig = deploying()
    rig.says("ann", "deploy shop")
    rig.says("ann", "deploy blog")
    rig.subscriptions.add(2, RELEASES)
    rig.runner.cancel(2, "bob")
    rig.executor.end(1)

    assert told(rig, RELEASES) == ["deploy of ann (2): canceled"]


def test_a_run_that_a_crash_cut_off_is_told_of_by_the_next_process() -> None:
    rig = deploying()
    rig.subscriptions.add("plugin.deploy", OPS)
    rig.says("ann", "deploy shop")
    rig.start()

    assert told(rig, OPS) == ["deploy shop of ann (1): started", "deploy shop of ann (1): interrupted"]


def test_nobody_is_told_of_what_was_refused() -> None:
    rig = deploying()
    rig.subscriptions.add("plugin.deploy", OPS)
    rig.says("ann", "deploy")

    assert told(rig, OPS) == []


def test_nobody_is_told_twice_and_who_has_left_no_more() -> None:
    rig = deploying()
    first, again = rig.subscriptions.add("plugin.deploy", OPS), rig.subscriptions.add("plugin.deploy", OPS)
    listed = rig.subscriptions.at(OPS)
    left, again_left = rig.subscriptions.remove("plugin.deploy", OPS), rig.subscriptions.remove("plugin.deploy", OPS)
    rig.says("ann", "deploy shop")

    assert (first, again, left, again_left) == (True, False, True, False)
    assert (listed, rig.subscriptions.at(OPS)) == (["plugin.deploy"], [])
    assert told(rig, OPS) == []
