from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.message import Message, MessageSeverity, Notice, RunPart
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.request import (
    Acknowledge,
    Asked,
    CancelRun,
    DropDelivery,
    KeepValue,
    MuteJob,
    PauseJob,
    RecordRun,
    Request,
    ResumeJob,
    RetryDelivery,
    SendMessage,
)
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.requests.apply import apply_request, mute_entry
from tests.fakes.engine_rig import OPS, at

NOW = at("16 12:00")


def carried_out(asked: Asked | Request) -> Batch:
    """Apply a request after a round trip through JSON, as in the inbox."""
    request, ids = asked if isinstance(asked, Request) else Request.of(asked, NOW), count(42)
    left = replace(request, id=9, payload=json.loads(json.dumps(request.payload)))
    return apply_request(left, ids.__next__)


def only_taken() -> Batch:
    return Batch(taken=9, at=NOW)


@pytest.mark.parametrize("until", [None, at("16 13:00")])
def test_pause_holds_the_job(until: datetime | None) -> None:
    asked = PauseJob("db.lag", until, "ann")

    assert carried_out(asked) == replace(only_taken(), holds={"db.lag": Pause(until, "ann")})


def test_resume_lets_the_job_run_again() -> None:
    assert carried_out(ResumeJob("db.lag")) == replace(only_taken(), holds={"db.lag": None}, states={"db.lag": State()})


@pytest.mark.parametrize("until", [at("16 13:00"), None])
def test_mute_is_kept_with_its_end_and_who_wanted_it(until: datetime | None) -> None:
    """A mute that ends where it begins ends the mute before it."""
    mute = Mute("db.lag", NOW, until or NOW, "ann")

    assert carried_out(MuteJob("db.lag", until, "ann")) == replace(only_taken(), entries=[mute_entry(mute)])


def test_acknowledging_an_incident_notes_who_and_when() -> None:
    state = State(incident=Incident(at("16 11:00"), at("16 11:50"), 5, told=at("16 11:00")))
    left = replace(Request.of(Acknowledge("db.lag", "ann"), NOW), id=9)

    batch = apply_request(left, count(42).__next__, lambda _, change: change(state))

    assert state.incident is not None
    known = replace(state.incident, acknowledged_by="ann", acknowledged_at=NOW)
    assert batch == replace(only_taken(), states={"db.lag": replace(state, incident=known)})


def test_acknowledging_what_is_over_changes_nothing() -> None:
    assert carried_out(Acknowledge("db.lag", "ann")) == only_taken()


@pytest.mark.parametrize(
    "piece",
    [
        Text("&lt;b&gt; <@U0123> ü"),
        Blocks({"blocks": [{"type": "divider"}], "text": "lag"}),
        Upload("lag.png", b"\x89PNG\r\n\x00", "Lag", "look"),
    ],
)
def test_message_is_said_as_it_was_given(piece: Piece) -> None:
    message = Message("send/9f8e#1", OPS, piece, Notice("send", "9f8e", 1))

    assert carried_out(SendMessage.of(message)) == replace(only_taken(), messages=[message])


def test_message_of_a_run_in_a_database_that_was_lost_stays_one_of_that_run() -> None:
    message = Message("db.lag@then/7#0", OPS, Text("lag"), RunPart("db.lag", NOW, 7))

    assert carried_out(SendMessage.of(message)) == replace(only_taken(), messages=[message])


def test_file_on_disk_must_have_been_read() -> None:
    with pytest.raises(AssertionError, match="a file is read where the run ends"):
        SendMessage.of(Message("key", OPS, Upload("lag.png", Path("lag.png"))))


def test_deliveries_are_retried_and_dropped() -> None:
    assert carried_out(RetryDelivery(7)) == replace(only_taken(), retried=[7])
    assert carried_out(DropDelivery(7)) == replace(only_taken(), dropped=[7])


def test_a_run_is_canceled_on_behalf_of_who_wants_it() -> None:
    assert carried_out(CancelRun(412, "ann")) == replace(only_taken(), canceled=[(412, "ann")])


@pytest.mark.parametrize(
    "entry",
    [
        StoredValue("db", "last", '{"id": 3}', at("17 12:00")),
        StoredValue("db", "last", "1"),
        StoredValue("db", "last", None, is_same=True),
    ],
)
def test_value_of_a_pack_is_kept(entry: StoredValue) -> None:
    assert carried_out(KeepValue(entry.pack, entry.key, entry.value, entry.expires)) == replace(
        only_taken(), entries=[entry]
    )


@pytest.mark.parametrize(
    "record",
    [
        Record(
            0,
            "db.lag",
            at("16 11:59"),
            Verdict.ERROR,
            started=at("16 11:59:01"),
            duration=timedelta(milliseconds=1500),
            text="failed",
            to="#ops",
            error="Traceback",
            printed="looking\n",
            asked_by="ann",
            numbers={"lag": 2.5},
        ),
        Record(0, "db.lag", at("16 11:59"), Verdict.QUIET),
    ],
)
def test_run_of_another_process_gets_an_id_here_that_its_messages_share(record: Record) -> None:
    message = Message("9f8e#1", OPS, Text("failed"), RunPart("db.lag", None, 0, 1), severity=MessageSeverity.ERROR)
    batch = carried_out(RecordRun.of(record, (message,)))

    known = replace(message, origin=RunPart("db.lag", None, 42, 1))
    assert batch == replace(only_taken(), records=[record._replace(run=42)], messages=[known])


def test_messages_that_a_former_version_left_are_posted() -> None:
    left = {"key": "9f8e#1", "channel": "slack", "conversation": "#ops", "piece": {"text": "lag"}}
    run = Request.of(RecordRun.of(Record(0, "db.lag", NOW, Verdict.SAID), ()), NOW)

    sent = carried_out(Request("send", {**left, "key": "send/9f8e#1"}, NOW))
    ran = carried_out(replace(run, payload={**run.payload, "messages": [left]}))

    assert sent.messages == [Message("send/9f8e#1", OPS, Text("lag"), Notice("send", "9f8e", 1))]
    assert ran.messages == [Message("9f8e#1", OPS, Text("lag"), RunPart("", None, 42, 1))]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("approve", {"job": "db.lag"}),
        ("pause", {}),
        ("pause", {"job": "db.lag", "until": "soon"}),
        ("record", {"job": "db.lag", "slot": "2026-11-16T12:00:00+00:00", "seconds": None, "verdict": "new"}),
        ("send", {"key": "a", "channel": "slack", "conversation": "#ops", "piece": None}),
    ],
)
def test_request_of_another_version_changes_nothing_and_is_not_met_again(
    kind: str, payload: Mapping[str, object]
) -> None:
    assert carried_out(Request(kind, payload, NOW)) == only_taken()


@pytest.mark.parametrize("piece", [
    {"text": "lag"}, {"payload": {"text": "lag"}}, {"name": "a.png", "content": "iVBO", "title": "", "comment": ""},
])  # fmt: skip
def test_a_message_that_a_former_version_left_is_posted(piece: dict[str, object]) -> None:
    """It wrote pieces that do not say what they are."""
    message: dict[str, object] = {"key": "a", "channel": "slack", "conversation": "#ops", "piece": piece}
    run = {
        "job": "db.lag", "slot": "2026-11-16T12:00:00+00:00", "verdict": "said", "started": None, "seconds": 1.5,
        "text": "", "to": None, "error": None, "printed": None,
    }  # fmt: skip

    sent = carried_out(Request("send", message, NOW)).messages
    said = carried_out(Request("record", {**run, "messages": [message]}, NOW)).messages

    assert [type(one.piece).__name__ for one in (*sent, *said)] == [type(sent[0].piece).__name__] * 2
