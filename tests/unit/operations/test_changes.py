"""What a person can change: which requests that makes, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.render import Text
from slack_alert.core.errors import BadValue
from slack_alert.core.model.message import Delivery, Message, Status
from slack_alert.core.model.request import (
    Acknowledge,
    DropDelivery,
    Emit,
    MuteJob,
    PauseJob,
    Request,
    ResumeJob,
    RetryDelivery,
    SendMessage,
)
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.mutes import EVERY, Mute
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.requests.apply import mute_entry
from slack_alert.operations.ack import ack
from slack_alert.operations.emit import emit
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.mute import mute, unmute
from slack_alert.operations.outbox import drop, list_outbox, retry
from slack_alert.operations.pause import pause, resume
from slack_alert.operations.requester import JobChange, Requester
from slack_alert.operations.send import make_messages, send
from tests.fakes.engine_rig import BERLIN, OPS, at, make_job, make_policy, make_rule

NOW = at("16 14:00")
LATER = at("16 15:00")


class Inbox:
    """Takes requests in place of the running program."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, *requested: Request) -> bool:
        self.requests.extend(requested)
        return True


def asking(inbox: Inbox) -> Requester:
    return Requester("ann", NOW, inbox)


def lookup(*jobs: Job) -> JobLookup:
    found = jobs or (make_job("db.lag"), make_job("db.size"))
    return JobLookup(lambda: Catalog(found), str)


def deliveries(*statuses: Status) -> list[Delivery]:
    return [
        Delivery(number, Message(f"m{number}", OPS, Text("x")), NOW, status=status)
        for number, status in enumerate(statuses, 1)
    ]


def test_pause_asks_for_each_job_that_matches() -> None:
    inbox = Inbox()
    done = pause("db.*", lookup(), asking(inbox), until=LATER)

    assert inbox.requests == [Request.of(PauseJob(name, LATER, "ann"), NOW) for name in ("db.lag", "db.size")]
    assert done == JobChange(["db.lag", "db.size"], ["db.lag", "db.size"], is_taken=True)


def test_resume_tells_which_jobs_were_resting_by_a_person_or_by_their_quota() -> None:
    spent = State(Quota((NOW, NOW, NOW), LATER))
    muting = make_job("db.muting", policy=make_policy(mutes=True))
    snapshot = Snapshot(
        states={"db.size": spent, "db.muting": spent}, holds={"db.lag": Pause(), "db.over": Pause(at("16 13:00"))}
    )
    inbox = Inbox()
    jobs = (make_job("db.lag"), make_job("db.size"), muting, make_job("db.over"), make_job("db.free"))
    done = resume("db.*", lookup(*jobs), asking(inbox), snapshot=snapshot)

    assert inbox.requests == [Request.of(ResumeJob(job.name), NOW) for job in jobs]
    assert done.changed == ["db.lag", "db.size"]


def test_mute_of_all_needs_no_plugins() -> None:
    def survey() -> Catalog:
        raise AssertionError

    inbox = Inbox()
    mute(None, JobLookup(survey, str), asking(inbox), until=LATER)

    assert inbox.requests == [Request.of(MuteJob(EVERY, LATER, "ann"), NOW)]


@pytest.mark.parametrize(
    ("said", "names", "changed"), [(None, [EVERY, "db.lag"], [EVERY, "db.lag"]), ("size", ["db.size"], [])]
)
def test_unmute_ends_what_was_meant(said: str | None, names: Sequence[str], changed: Sequence[str]) -> None:
    entries = [mute_entry(Mute(name, at("16 13:00"), LATER, "bob")) for name in ("db.lag", EVERY)]
    mutes = Mutes(entries, zone=BERLIN)
    inbox = Inbox()
    done = unmute(said, lookup(), asking(inbox), mutes=mutes)

    assert inbox.requests == [Request.of(MuteJob(name, None, "ann"), NOW) for name in names]
    assert (done.names, done.changed) == (names, changed)


def test_ack_is_for_incidents_that_were_told_and_that_nobody_has_taken() -> None:
    told = Incident(at("16 13:00"), NOW, told=at("16 13:00"))
    taken = Incident(at("16 13:00"), NOW, told=at("16 13:00"), acknowledged_by="bob")
    untold = Incident(at("16 13:00"), NOW)
    states = {name: State(incident=each) for name, each in (("db.a", told), ("db.b", taken), ("db.c", untold))}
    jobs = [make_job(f"db.{letter}") for letter in "abcd"]
    inbox = Inbox()
    done = ack("db.*", lookup(*jobs), asking(inbox), snapshot=Snapshot(states=states))

    assert inbox.requests == [Request.of(Acknowledge("db.a", "ann"), NOW)]
    assert (done.change.changed, done.already) == (["db.a"], {"db.b": taken})


def test_ack_asks_nothing_where_nothing_is_open() -> None:
    inbox = Inbox()
    done = ack("lag", lookup(), asking(inbox), snapshot=Snapshot())

    assert (inbox.requests, done.change.changed, done.already) == ([], [], {})


def test_emit_names_the_jobs_that_wait_for_the_event() -> None:
    inbox = Inbox()
    rule = make_rule()
    done = emit(" disk.full ", {"size": 12}, Catalog((make_job(), rule)), asking(inbox))

    assert inbox.requests == [Request.of(Emit("disk.full", {"size": 12}), NOW)]
    assert done.jobs == [rule]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "size=12"])
def test_emit_refuses_what_is_no_name(name: str) -> None:
    inbox = Inbox()

    with pytest.raises(BadValue):
        emit(name, {}, Catalog(), asking(inbox))
    assert inbox.requests == []


def test_outbox_list_has_all_that_waits_and_the_last_of_what_is_done() -> None:
    found = deliveries(Status.SENT, Status.DEAD, Status.SENT, Status.COLLAPSED, Status.QUEUED, Status.SENT)

    assert [each.id for each in list_outbox(found, done=1)[0]] == [2, 4, 5, 6]
    assert list_outbox(found, done=1)[1] == {Status.SENT: 2}
    assert list_outbox(found, done=None) == (found, {})


def test_retry_and_drop_ask_for_each_message_once() -> None:
    inbox = Inbox()
    found = deliveries(Status.DEAD, Status.COLLAPSED, Status.QUEUED)

    assert list(retry((2, 1, 2), found, asking(inbox))) == [(2, True), (1, True)]
    assert list(drop((3,), found, asking(inbox))) == [(3, True)]
    assert inbox.requests == [
        Request.of(RetryDelivery(2), NOW),
        Request.of(RetryDelivery(1), NOW),
        Request.of(DropDelivery(3), NOW),
    ]


@pytest.mark.parametrize(
    ("change", "ids", "message"),
    [
        (retry, (1, 2), "Message 2 was sent already."),
        (retry, (1, 3), "Message 3 is queued, it is tried again anyway."),
        (drop, (1, 2), "Message 2 was sent already."),
        (drop, (1, 9), "There is no message 9."),
    ],
)
def test_nothing_is_changed_where_one_message_cannot_be(
    change: Callable[[Sequence[int], list[Delivery], Requester], object], ids: Sequence[int], message: str
) -> None:
    inbox = Inbox()

    with pytest.raises(BadValue, match=message):
        change(ids, deliveries(Status.DEAD, Status.SENT, Status.QUEUED), asking(inbox))
    assert inbox.requests == []


def test_a_secret_is_out_of_a_message_before_it_is_cut() -> None:
    text = f"{'x' * 3995}hunter22 and more"
    messages = make_messages("send", Text(text), OPS, Redaction(("hunter22",)), name="message")
    inbox = Inbox()

    assert len({message.key for message in messages}) == len(messages)
    assert not any("hunter" in str(message.piece) for message in messages)
    assert send(messages, asking(inbox))
    assert inbox.requests == [Request.of(SendMessage.of(message), NOW) for message in messages]
