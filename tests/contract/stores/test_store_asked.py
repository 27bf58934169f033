"""The contract of stores about the commands that people asked for, and the ids of what came in from chats."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.events import AcceptedEvent, Answer, Emitted
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, HistoryLimits, StartedRun
from slack_alert.engine.recording.writer import join
from slack_alert.engine.requests.inbound_ids import REMEMBERED
from tests.contract.store_kit import SECOND, Kit, T

BIG = 2**62
ANN = Identity("slack", "T1", "U0ANN", "Ann Ångström")
IN_THREAD = ReplyTo(Address("slack", "C0OPS"), "1.000001", "https://hooks.slack.com/commands/1")

#: As they come in, decided, later, from a slash command, by a long line, and from the terminal.
ASKED = {
    "new": AskedCommand(("1.000001", "Ev1"), T, ANN, IN_THREAD, "deploy shop prod", "slack.socket", BIG),
    "decided": AskedCommand(
        ("2",), T, ANN, IN_THREAD, "deploy “shop”", "slack.http", 2, 9, "ops.deploy", "deploy shop env=prod"
    ),
    "later": AskedCommand(
        ("3",), T, ANN, IN_THREAD, "deploy shop in 20m", "slack.poll", 3, 10, "ops.deploy", "deploy shop",
        not_before=T + timedelta(minutes=20, microseconds=1),
    ),
    "bare": AskedCommand((), T, ANN, replace(IN_THREAD, thread=""), "disk", "slack.socket", 4, is_bare=True),
    "long": AskedCommand(("5",), T, ANN, IN_THREAD, "say " + "ü\n\t\"'`$\\" * 4000, "slack.socket", 5),
    "terminal": AskedCommand(("6",), T, Identity("cli", "", "ann"), ReplyTo(Address("cli", "7")), "queue", "cli", 6),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))
def test_what_people_asked_for_comes_back_as_it_was(kit: Kit, asked: AskedCommand) -> None:
    kit.store.commit(Batch(asked=[asked]))

    assert kit.reader.snapshot().asked == (asked,)
    assert kit.reopen().asked == (asked,)


def test_commands_come_back_in_the_order_in_which_they_were_accepted(kit: Kit) -> None:
    in_order = sorted(ASKED.values(), key=lambda asked: asked.id)
    kit.store.commit(Batch(asked=in_order[3:]))
    kit.store.commit(Batch(asked=in_order[:3]))

    assert kit.reopen().asked == tuple(in_order)


def test_what_is_decided_about_a_command_replaces_what_was_asked(kit: Kit) -> None:
    new = ASKED["new"]
    decided = replace(new, run=9, command="ops.deploy", words="deploy shop prod")
    kit.store.commit(Batch(asked=[new]))
    kit.store.commit(Batch(asked=[decided]))

    assert kit.reopen().asked == (decided,)


def test_a_settled_command_is_gone_and_the_others_stay(kit: Kit) -> None:
    kit.store.commit(Batch(asked=[ASKED["decided"], ASKED["later"]]))
    kit.store.commit(Batch(settled=[ASKED["decided"].id, 4711]))

    assert kit.reopen().asked == (ASKED["later"],)


def test_a_command_that_is_settled_in_the_transaction_in_which_it_came_leaves_nothing(kit: Kit) -> None:
    """Many batches are committed together."""
    batch = Batch(asked=[ASKED["new"]])
    join(batch, Batch(asked=[replace(ASKED["new"], run=9, command="x", words="x")]))
    join(batch, Batch(settled=[ASKED["new"].id]))
    kit.store.commit(batch)

    assert kit.reopen().asked == ()


def test_settling_a_command_settles_no_event_and_answering_an_event_no_command(kit: Kit) -> None:
    event = AcceptedEvent(Emitted("disk.full", T, {}, id=3), ("db.react",))
    kit.store.commit(Batch(accepted=[event], asked=[ASKED["decided"]]))
    kit.store.commit(Batch(settled=[3], answered=[Answer(2, "db.react")]))

    snapshot = kit.reopen()
    assert snapshot.events == (event,)
    assert snapshot.asked == (ASKED["decided"],)


def test_numbers_of_commands_are_never_given_again(kit: Kit) -> None:
    """Neither the id of a row nor the number of a run, from the moment it is stored."""
    kit.store.commit(Batch(asked=[replace(ASKED["decided"], id=41, run=17)]))
    first = kit.reopen()
    kit.store.commit(Batch(settled=[41]))
    second = kit.reopen()

    assert [(each.last_event, each.last_run) for each in (first, second)] == [(41, 17), (41, 17)]


def test_runs_of_commands_are_told_from_those_of_jobs(kit: Kit) -> None:
    of_command, of_job = StartedRun(9, "ops.deploy", T, T), StartedRun(8, "db.lag", T, T)
    kit.store.commit(Batch(asked=[ASKED["decided"]], begun=[of_command, of_job]))

    snapshot = kit.reopen()
    assert snapshot.running == (of_job, of_command)
    assert snapshot.of_jobs().running == (of_job,)


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\udfff\ud83d", "ü\ud83d"], ids=ascii)
def test_a_text_that_no_database_keeps_loses_no_command_wherever_it_stands(kit: Kit, text: str) -> None:
    """A name, an id or a line that cannot be written would lose the command after it was acknowledged."""
    strange = AskedCommand(
        (text,), T, Identity("slack", "T1", "U1", text), ReplyTo(Address("slack", "C1"), text), text, "slack.socket",
        1, 2, text, text,
    )  # fmt: skip
    kit.store.commit(Batch(asked=[strange], inbound=[(text, T)]))

    (found,) = kit.reopen().asked
    texts = {found.text, found.words, found.command, found.by.name, found.reply_to.thread, *found.ids}
    assert (found.id, found.run, len(texts)) == (1, 2, 1)
    assert len(found.text) == len(text)
    assert found.text.encode()


def test_ids_of_what_came_in_come_back_oldest_first_and_the_first_time_counts(kit: Kit) -> None:
    kit.store.commit(Batch(inbound=[("b", T + SECOND), ("c", T + 2 * SECOND)]))
    kit.store.commit(Batch(inbound=[("a", T), ("b", T + 9 * SECOND)]))

    assert list(kit.reopen().inbound.items()) == [("a", T), ("b", T + SECOND), ("c", T + 2 * SECOND)]


def test_ids_are_forgotten_after_a_day_and_commands_never(kit: Kit) -> None:
    late = T + REMEMBERED
    kit.store.commit(Batch(inbound=[("old", T - SECOND), ("a day old", T), ("new", late)], asked=[ASKED["later"]]))
    kit.store.prune(late, HistoryLimits())
    after_a_day = list(kit.reopen().inbound)
    kit.store.prune(T + timedelta(days=400), HistoryLimits(days=1))

    assert after_a_day == ["a day old", "new"]
    assert kit.reopen().inbound == {}
    assert kit.reopen().asked == (ASKED["later"],)
