"""The queue of commands as the command line lists it, and cancels what is in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.request import CancelRun
from slack_alert.engine.batches import Batch, StartedRun
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project, ago, now

ANN = Identity("slack", "T1", "U1", "ann")


def asked(number: int, words: str, *, later: timedelta | None = None) -> AskedCommand:
    not_before = None if later is None else now() + later
    return AskedCommand(
        (f"id{number}",), ago(minutes=10 - number), ANN, ReplyTo(Address("slack", "C1")), f"{words} --token hunter2",
        "slack.socket", number, number, "ops.deploy", words, not_before=not_before,
    )  # fmt: skip


@pytest.fixture
def busy(project: Project) -> Project:
    """One runs, one waits, one is for later, and of one it is not known yet whether it may."""
    undecided = AskedCommand(("id9",), now(), ANN, ReplyTo(Address("slack", "C1")), "deploy", "slack.socket", 9)
    rows = [
        asked(1, "deploy shop prod"),
        asked(2, "deploy blog prod"),
        asked(3, "deploy shop", later=timedelta(hours=2)),
    ]
    begun = [StartedRun(1, "ops.deploy", ago(minutes=9), ago(minutes=8))]
    project.remember(Batch(asked=[*rows, undecided], begun=begun))
    return project


def left(project: Project) -> list[int]:
    """Return the runs that are to be canceled, by the requests in the inbox."""
    asked = [request.asked() for request in SqliteInbox(inbox_path(project.database)).peek()]
    return [each.run for each in asked if isinstance(each, CancelRun)]


def test_queue_lists_what_runs_what_waits_and_what_is_for_later(busy: Project) -> None:
    with busy.owned():
        done = busy.run("queue")

    assert done.code == 0
    assert [line.split()[:3] for line in done.lines[1:]] == [
        ["1", "deploy", "shop"],
        ["2", "deploy", "blog"],
        ["3", "deploy", "shop"],
    ]
    assert "running for 8 min" in done.lines[1]
    assert "in 1 h 59 min" in done.lines[3]
    assert "hunter2" not in done.out


def test_the_document_has_all_three_lists(busy: Project) -> None:
    with busy.owned():
        document = busy.run("queue", "--json").json

    assert {kind: [each["run"] for each in rows] for kind, rows in document.items()} == {
        "running": [1], "waiting": [2], "later": [3],
    }  # fmt: skip
    assert document["running"][0]["command"] == "ops.deploy"
    assert document["waiting"][0]["position"] == 1
    assert document["waiting"][0]["by"] == "slack:T1/U1"


def test_an_empty_queue_says_so(project: Project) -> None:
    assert project.run("queue").out == "Nothing runs, and nothing waits.\n"
    assert project.run("queue", "--json").json == {"running": [], "waiting": [], "later": []}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1", "1 (deploy shop prod) is asked to end.\n"),
        ("2", "2 (deploy blog prod) is taken out of the queue.\n"),
    ],
)
def test_cancel_asks_the_program_that_has_the_run(busy: Project, number: str, text: str) -> None:
    with busy.owned():
        done = busy.run("cancel", number)

    assert (done.code, done.out, done.err) == (0, text, "")
    assert left(busy) == [int(number)]


def test_cancel_of_what_waits_holds_when_the_program_starts(busy: Project) -> None:
    done = busy.run("cancel", "2")

    assert (done.code, done.err) == (0, "slack-alert is not running: this holds when it starts.\n")
    assert left(busy) == [2]


def test_what_a_kill_cut_off_is_never_shown_as_running(busy: Project) -> None:
    listed, document, canceled = busy.run("queue"), busy.run("queue", "--json").json, busy.run("cancel", "1")

    assert [line.split()[0] for line in listed.lines[1:]] == ["2", "3"]
    assert listed.err == "slack-alert is not running: what waits goes on when it starts.\n"
    assert document["running"] == []
    assert canceled.code == 2
    assert "There is no run 1 to cancel. These run or wait: 2, 3." in canceled.err


def test_a_dry_run_cancels_nothing(busy: Project) -> None:
    busy.run("cancel", "2", "--dry-run")

    assert SqliteInbox(inbox_path(busy.database)).peek() == []


def test_cancel_of_a_number_that_is_none_says_what_there_is(busy: Project) -> None:
    done = busy.run("cancel", "77")

    assert done.code == 2
    assert "There is no run 77 to cancel. These run or wait: 2, 3." in done.err
