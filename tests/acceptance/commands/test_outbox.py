from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.bootstrap.oneshot import requests
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, DeliveryProgress, Message, Status
from slack_alert.engine.batches import Batch
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project, ago
from tests.fakes.slack import FakeSlack

CONSOLE = Address("console", "#ops")


def fill(project: Project, *statuses: Status) -> list[Delivery]:
    """Put one message for each status into the outbox, an hour ago."""
    at = ago(hours=1)
    messages = [Message(f"m{number}", CONSOLE, Text(f"a &amp; b {number}")) for number in range(len(statuses))]
    made = project.remember(Batch(messages=messages, at=at))
    progress = [
        DeliveryProgress(delivery.id, status, 1, at, reason="not_in_channel" if status is Status.DEAD else None)
        for delivery, status in zip(made, statuses, strict=True)
        if status is not Status.QUEUED
    ]
    project.remember(Batch(progress=progress))
    return made


def statuses(project: Project) -> dict[int, str]:
    return {line["id"]: line["status"] for line in project.run("outbox", "--json").json_lines}


def test_programs_get_every_message(project: Project) -> None:
    fill(project, *[Status.SENT] * 7, Status.DEAD)

    lines = project.run("outbox", "--json", "--timezone", "UTC").json_lines

    assert [line["status"] for line in lines] == ["sent"] * 7 + ["dead"]
    assert lines[-1] == {
        "id": 8,
        "created": lines[0]["created"],
        "to": "#ops",
        "status": "dead",
        "attempts": 1,
        "text": "a & b 7",
        "reason": "not_in_channel",
        "receipt": None,
        "run": None,
        "slot": None,
        "key": "m7",
    }


def test_what_another_message_counts_is_shown_like_what_was_sent(project: Project) -> None:
    fill(project, *[Status.COLLAPSED] * 7, Status.SENT)

    done = project.run("outbox")

    assert [line.split()[0] for line in done.lines[1:]] == ["3", "4", "5", "6", "7", "8"]
    assert "2 messages collapsed before: --all lists them." in done.err
    assert "`slack-alert outbox retry ID` says a collapsed one after all." in done.err
    assert project.run("outbox", "retry", "3").code == 0
    assert statuses(project)[3] == "sent"


def test_people_get_what_is_not_sent_and_the_last_few_that_are(project: Project) -> None:
    fill(project, Status.DEAD, *[Status.SENT] * 7, Status.QUEUED)

    done = project.run("outbox")

    assert [line.split()[0] for line in done.lines] == ["ID", "1", "4", "5", "6", "7", "8", "9"]
    assert done.lines[1] == "1   #ops  dead    1         1 h  not_in_channel  a & b 0"
    assert "2 messages sent before: --all lists them." in done.err
    assert "`slack-alert outbox retry ID`" in done.err
    assert len(project.run("outbox", "--all").lines) == 10


def test_an_empty_outbox_says_so(project: Project) -> None:
    assert project.run("outbox").out == "The outbox is empty.\n"
    assert project.run("outbox", "--json").out == ""


def test_a_dead_message_is_sent_again(project: Project) -> None:
    fill(project, Status.DEAD, Status.DEAD)

    done = project.run("outbox", "retry", "2")

    assert (done.code, done.out) == (0, "2 is sent.\n")
    assert "a & b 1" in done.err  # the terminal is the channel here
    assert statuses(project) == {1: "dead", 2: "sent"}


def test_what_waits_for_the_program_is_not_sent_with_it(project: Project) -> None:
    fill(project, Status.QUEUED, Status.DEAD, Status.QUEUED)

    assert project.run("outbox", "retry", "2").out == "2 is sent.\n"
    assert statuses(project) == {1: "queued", 2: "sent", 3: "queued"}


def test_what_is_not_sent_can_be_dropped(project: Project) -> None:
    fill(project, Status.DEAD, Status.SENT, Status.DEAD)

    done = project.run("outbox", "drop", "1", "3")

    assert (done.code, done.lines) == (0, ["1 is dropped.", "3 is dropped."])
    assert statuses(project) == {2: "sent"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("retry", "9"), "There is no message 9. `slack-alert outbox --all` lists them."),
        (("retry", "1"), "Message 1 was sent already. Only a dead or a collapsed message can be retried."),
        (("retry", "2"), "Message 2 is queued, it is tried again anyway."),
        (("drop", "1"), "Message 1 was sent already. Only what did not arrive can be dropped."),
        (("drop", "3", "1"), "Message 1 was sent already."),
        (("drop", "x"), "'x' is not a valid integer"),
        (("retry",), "Missing argument 'ID...'"),
    ],
)
def test_what_cannot_be_changed_is_exit_code_2_and_changes_nothing(
    words: tuple[str, ...], said: str, project: Project
) -> None:
    fill(project, Status.SENT, Status.QUEUED, Status.DEAD)

    done = project.run("outbox", *words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert statuses(project) == {1: "sent", 2: "queued", 3: "dead"}


def test_beside_a_running_program_the_wish_is_left_in_its_inbox(project: Project) -> None:
    fill(project, Status.DEAD)
    with project.owned():
        done = project.run("outbox", "retry", "1")

    (request,) = SqliteInbox(inbox_path(project.database)).peek()
    assert (request.kind, request.payload) == ("retry", {"id": 1})
    assert done.out == "1 is sent again.\n"
    assert statuses(project) == {1: "dead"}


def test_a_long_reason_leaves_room_for_the_text(project: Project) -> None:
    at = ago(hours=1)
    (made,) = project.remember(Batch(messages=[Message("m", CONSOLE, Text("x" * 500))], at=at))
    project.remember(Batch(progress=[DeliveryProgress(made.id, Status.DEAD, 1, at, reason="because " * 20)]))

    (_, line) = project.run("outbox").lines

    assert line.count("because") == 5
    assert line.endswith("x" * 100 + "…")
    assert len(line) < 250
    assert project.run("outbox", "--json").json["text"] == "x" * 500


def test_a_verb_nobody_knows_lists_those_there_are(project: Project) -> None:
    done = project.run("outbox", "bogus")

    assert done.code == 2
    assert "There is no `outbox bogus`. Write one of: retry, drop." in done.err


@pytest.mark.slow
def test_a_retry_that_fails_at_once_is_exit_code_1_and_says_why(project: Project) -> None:
    with FakeSlack() as slack:
        project.write("slack_alert.conf", f"[slack]\ntoken = xoxb-test\nchannel = #ops\napi_url = {slack.url}\n")
        project.run("send", "hello", "--to", "#nowhere")

        done = project.run("outbox", "retry", "1")

    assert (done.code, done.out) == (1, "")
    assert "Message 1 is dead: channel_not_found: #nowhere does not exist" in done.err
    assert "`slack-alert outbox retry 1` sends it again." in done.err


@pytest.mark.slow
def test_a_retry_that_waits_says_when_it_goes_out(project: Project) -> None:
    fill(project, Status.QUEUED, Status.DEAD)
    project.write("slack_alert.conf", "[slack]\ntoken = xoxb-test\nchannel = #ops\napi_url = http://127.0.0.1:9\n")
    project.remember(Batch(messages=[Message("slack", Address("slack", "#ops"), Text("hi"))], at=ago(minutes=1)))
    project.remember(Batch(progress=[DeliveryProgress(3, Status.DEAD, 1, ago(minutes=1), reason="gone")]))

    project.monkeypatch.setattr(requests, "DELIVERY_TIMEOUT", timedelta(seconds=0.2))
    done = project.run("outbox", "retry", "3")

    assert (done.code, done.out) == (1, "")
    assert "Message 3 is queued" in done.err
    assert "It goes out when slack-alert runs." in done.err
