"""What `queue` and `cancel` make of what the store keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.commands.answers import CommandProgress
from slack_alert.core.commands.command import Command
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.request import CancelRun, Request
from slack_alert.core.model.run import Action
from slack_alert.engine.batches import StartedRun
from slack_alert.operations.queue import cancel, queue_view
from slack_alert.operations.requester import Requester

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
ANN = Identity("slack", "T1", "U1", "ann")
HERE = ReplyTo(Address("slack", "C1"))


def command(name: str, queue: str | None = "default", lock: str = "", *, is_reading: bool = False) -> Command:
    action = Action(name, "plugins/ops.py", 1)
    return Command(name, action, name, queue=queue, lock=lock, is_reading=is_reading)


COMMANDS = (
    command("ops.deploy", "deploy", "prod"),
    command("ops.restart", lock="{env}"),
    command("chat.status", None, is_reading=True),
)


def asked(number: int, name: str = "ops.deploy", *, later: datetime | None = None) -> AskedCommand:
    """Make a row; the words of a row that was not decided on are as they were typed, secrets included."""
    words = f"{name} {number}" if number else ""
    return AskedCommand(
        (f"id{number}",), T + number * MINUTE, ANN, HERE, "deploy hunter2", "slack.socket", number, number,
        name if number else "", words, not_before=later,
    )  # fmt: skip


def started(number: int) -> StartedRun:
    return StartedRun(number, "ops.deploy", T, T + 30 * MINUTE)


def usual(_: str) -> timedelta:
    return 10 * MINUTE


NOW = T + 35 * MINUTE


def test_rows_become_what_runs_what_waits_and_what_is_for_later() -> None:
    rows = [asked(1), asked(2), asked(3, later=T + 90 * MINUTE), asked(4)]
    view = queue_view(rows, [started(1)], COMMANDS, usual, NOW, progress={1: CommandProgress(0.4, "pulling")})

    assert [(each.run.run, each.progress.step) for each in view.running] == [(1, "pulling")]
    assert [(each.run.run, each.position, each.expected) for each in view.waiting] == [
        (2, 1, T + 40 * MINUTE),
        (4, 2, T + 50 * MINUTE),
    ]
    assert [(each.run.run, each.expected) for each in view.later] == [(3, T + 90 * MINUTE)]
    assert [each.held_by.run for each in view.waiting if each.held_by is not None] == [1, 1]


def test_more_at_once_start_sooner() -> None:
    rows = [asked(1, "ops.restart"), asked(2, "ops.restart")]
    view = queue_view(rows, [started(1)], COMMANDS, usual, NOW, limits={"default": 2})

    assert [each.expected for each in view.waiting] == [NOW]


def test_what_only_reads_and_what_is_undecided_is_not_listed() -> None:
    view = queue_view([asked(0), asked(1, "chat.status")], [started(1)], COMMANDS, usual, NOW)

    assert (view.running, view.waiting, view.later) == ((), (), ())


def test_a_command_that_is_gone_is_still_listed() -> None:
    view = queue_view([asked(1, "ops.gone")], [], COMMANDS, lambda _: None, NOW)

    assert [(each.run.words, each.run.queue) for each in view.waiting] == [("ops.gone 1", None)]


class Inbox:
    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, *requested: Request) -> bool:
        self.requests += requested
        return True


def requester(inbox: Callable[..., bool]) -> Requester:
    return Requester("bob", NOW, inbox)


@pytest.mark.parametrize(("number", "is_running"), [(1, True), (2, False)])
def test_a_cancel_names_the_run_and_who_wants_it(number: int, *, is_running: bool) -> None:
    inbox = Inbox()
    done = cancel(number, [asked(1), asked(2)], [started(1)], requester(inbox))

    assert inbox.requests == [Request.of(CancelRun(number, "bob"), NOW)]
    assert (done.run.run, done.is_running, done.is_taken) == (number, is_running, True)


@pytest.mark.parametrize(
    ("rows", "hint"), [([asked(1), asked(2)], "These run or wait: 1, 2."), ([], "Nothing runs, and nothing waits.")]
)
def test_a_cancel_of_nothing_says_what_there_is(rows: list[AskedCommand], hint: str) -> None:
    inbox = Inbox()

    with pytest.raises(BadValue) as refused:
        cancel(9, rows, [], requester(inbox))
    assert refused.value.hint == hint
    assert inbox.requests == []
