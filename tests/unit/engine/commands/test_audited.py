"""Whatever is asked for has one entry on record, with what became of it and without secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from slack_alert.core.commands.audit_verification import verify
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Identity, ReplyTo
from slack_alert.core.model.audit import AuditEntry
from tests.fakes.chat_rig import ChatRig, command, text_parameter


def entries(rig: ChatRig) -> list[AuditEntry]:
    """Return all entries, of a chain that is whole."""
    key, (anchor, chained) = rig.store.audit_key, rig.store.audit_chain()
    found = list(chained)
    head = key.head()
    assert not verify(key.key(is_first=True), anchor, found, [head] if head else []).faults
    return [one.entry for one in found if one.entry is not None]


def make_rig() -> ChatRig:
    secret = (text_parameter("app"), text_parameter("key", is_secret=True, is_required=False))
    return ChatRig(command("deploy", parameters=secret))


def told(rig: ChatRig) -> list[tuple[str, str, int | None]]:
    return [(entry.command, str(entry.verdict), entry.run) for entry in entries(rig)]


def ran(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.executor.end(1)


def failed(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.executor.end(1, error="no route")


def canceled_while_it_waits(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.says("ann", "deploy web")
    rig.runner.cancel(2, "bob")


def canceled_while_it_runs(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.runner.cancel(1, "bob")
    rig.executor.end(1)


def interrupted_by_a_kill(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.start()
    rig.start()


def interrupted_by_the_end(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop")
    rig.runner.interrupt()
    rig.start()


def denied(rig: ChatRig) -> None:
    rig.people.standings["eve"] = AccountStatus.STRANGER
    rig.says("eve", "deploy shop")


def misspelled(rig: ChatRig) -> None:
    rig.says("ann", "deploi shop --key hunter2")


def unbalanced(rig: ChatRig) -> None:
    rig.says("ann", "deploy 'shop --key hunter2")


def with_wrong_words(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop more --key hunter2")


def with_a_secret(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop --key hunter2")
    rig.executor.end(1)


def late(rig: ChatRig) -> None:
    rig.says("ann", "deploy shop --key hunter2", at=rig.clock.now() - timedelta(minutes=11))


@pytest.mark.parametrize(
    ("happens", "on_record"),
    [
        (ran, [("deploy shop", "ran", 1)]),
        (failed, [("deploy shop", "failed", 1)]),
        (canceled_while_it_waits, [("deploy web", "canceled", 2)]),
        (canceled_while_it_runs, [("deploy shop", "canceled", 1)]),
        (interrupted_by_a_kill, [("deploy shop", "interrupted", 1)]),
        (interrupted_by_the_end, [("deploy shop", "interrupted", 1)]),
        (denied, [("deploy shop", "denied", None)]),
        (misspelled, [("deploi …", "refused", None)]),
        (unbalanced, [("deploy …", "refused", None)]),
        (with_wrong_words, [("deploy", "refused", None)]),
        (with_a_secret, [("deploy shop ***", "ran", 1)]),
        (late, [("deploy …", "expired", None)]),
    ],
)
def test_each_end_has_one_entry(
    happens: Callable[[ChatRig], None], on_record: list[tuple[str, str, int | None]]
) -> None:
    rig = make_rig()
    happens(rig)

    assert told(rig) == on_record
    assert "hunter2" not in str(entries(rig))


def test_an_entry_names_person_place_and_door() -> None:
    rig = make_rig()
    ran(rig)

    (entry,) = entries(rig)
    assert (entry.by, entry.name, entry.chat, entry.channel, entry.door) == (
        "slack:T1/ann", "ann", "slack", "C0OPS", "slack.socket",
    )  # fmt: skip
    assert (entry.params, entry.duration) == ({"app": "shop"}, timedelta(seconds=3))


def test_the_conversation_of_a_terminal_is_a_secret() -> None:
    """Whoever knows it reads the answers."""
    rig = make_rig()
    to = ReplyTo(Address("terminal", "1-secret"))
    asked = AskedCommand(("1",), rig.clock.now(), Identity("cli", "", "ann", "ann"), to, "nothing", "terminal")
    rig.engine.handle(asked, lambda: None)

    (entry,) = entries(rig)
    assert (entry.chat, entry.channel, entry.door) == ("terminal", "", "terminal")
