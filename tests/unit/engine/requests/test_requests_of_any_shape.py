"""An unusable request stops no start: whatever its kind, and whatever is in its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Blocks, Text, Upload
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Notice, RunPart
from slack_alert.core.model.record import Record, Usage, Verdict
from slack_alert.core.model.request import (
    Acknowledge,
    Asked,
    CancelRun,
    DropDelivery,
    Emit,
    KeepValue,
    MuteJob,
    PauseJob,
    RecordRun,
    Request,
    ResumeJob,
    RetryDelivery,
    SendMessage,
)
from slack_alert.core.model.run import Failure, Result, Run
from slack_alert.core.pipeline.reasons import reason_text
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.quota import State
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.requests.apply import apply_request
from slack_alert.engine.requests.external_runs import execution_request, external_run
from slack_alert.stores import SqliteStore
from tests.fakes.engine_rig import BERLIN, ERRORS, MARK, OPS, at, make_policy

NOW = at("16 12:00")
LATER = at("16 13:00")
FAILED = Result(
    failure=Failure("exit code 3", "", "", "exit code 3\n", output="left"),
    duration=timedelta(seconds=2),
    usage=Usage(timedelta(seconds=1), 4096),
)
RECORD = Record(
    0, "db.lag", NOW, Verdict.SAID, started=NOW, duration=timedelta(seconds=1), text="lag", to="#ops",
    error="Traceback", printed="looking", asked_by="ann", numbers={"lag": 2.5},
)  # fmt: skip
MESSAGES = (
    Message("a", OPS, Text("lag"), Notice("send", "a", 0)),
    Message("b", OPS, Blocks({"text": "lag"})),
    Message("c", OPS, Upload("lag.png", b"\x89PNG", "Lag", "look")),
)
ASKED: list[Asked] = [
    PauseJob("db.lag", LATER, "ann"),
    ResumeJob("db.lag"),
    MuteJob("db.lag", LATER, "ann"),
    Acknowledge("db.lag", "ann"),
    Emit("disk.full", {"size": 5, "deep": {"list": [1]}}),
    RetryDelivery(7),
    DropDelivery(7),
    CancelRun(7, "ann"),
    KeepValue("db", "last", "1", LATER),
    RecordRun.of(RECORD, tuple(replace(each, origin=RunPart("db.lag", None, 0)) for each in MESSAGES)),
    execution_request(external_run("nightly", NOW), FAILED, OPS, typed="nightly"),
    *map(SendMessage.of, MESSAGES),
    SendMessage.of(replace(MESSAGES[0], origin=RunPart("db.lag", NOW, 7))),
]
SOUND = [Request.of(asked, NOW) for asked in ASKED]
JUNK: list[object] = [
    None, True, -1, 2**70, 1e300, float("nan"), "", "\ud800", "*", [], [[1]], {}, {"text": 5},
    "9999-12-31T23:59:00+00:00", "0001-01-01T00:00:00+00:00", "2026-11-16T12:00:00",
]  # fmt: skip


def spoilt(value: object) -> Iterator[object]:
    """Yield the payload with every field missing in turn, and with every junk value in its place."""
    yield from JUNK
    places = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for place, inner in places:
        if isinstance(value, dict):
            yield {name: each for name, each in value.items() if name != place}
        for other in spoilt(inner):
            yield {**value, place: other} if isinstance(value, dict) else [other]


def judge(state: State, run: Run, result: Result, to: Address | None) -> Settlement:
    told = to or ERRORS
    return settle(
        Job(run.binding, run.action, Never(), make_policy(), told, told, BERLIN), state, run.posts, result, MARK
    )


@pytest.mark.slow
@pytest.mark.parametrize("request_", SOUND, ids=lambda request: request.kind)
def test_request_of_any_shape_changes_what_can_be_kept_or_nothing(tmp_path: Path, request_: Request) -> None:
    sound = json.loads(json.dumps(dict(request_.payload)))
    ids, store = count(1), SqliteStore(tmp_path / "state.db")
    store.open()
    for payload in spoilt(sound):
        if not isinstance(payload, dict):
            continue
        batch = apply_request(
            replace(request_, id=9, payload=payload), ids.__next__, judge=judge, now=NOW + timedelta(seconds=1)
        )

        assert batch.taken == 9
        store.commit(batch)
    store.close()
    store = SqliteStore(tmp_path / "state.db")
    snapshot = store.open()
    mutes = Mutes(snapshot.entries, zone=timezone(timedelta(hours=14)))
    for job in (*snapshot.states, *snapshot.holds, "db.lag", "*", ""):
        assert (reason := mutes.reason(job, NOW)) is None or reason_text(reason, mutes.zone, NOW)
        assert (hold := snapshot.holds.get(job)) is None or hold.is_over(NOW) in (True, False)
    assert all(isinstance(mute.until, datetime) for mute in mutes.muted(NOW))
    store.close()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (
            {"job": "db.lag", "until": "9999-12-31T23:59:00+00:00", "by": "ann"},
            "9999-12-31T23:59:00+00:00 is no instant",
        ),
        (
            {"job": "db.lag", "until": "2026-11-16T13:00:00", "by": "ann"},
            "2026-11-16T13:00:00 is no instant",
        ),
        ({"job": ["db.lag"], "until": None, "by": "ann"}, "Expected `str`, got `array` - at `$.job`"),
        ({"job": "db.lag", "until": None, "by": 5}, "Expected `str`, got `int` - at `$.by`"),
    ],
)
@pytest.mark.parametrize("kind", ["mute", "pause"])
def test_what_is_wrong_with_a_request_is_told(
    kind: str, payload: dict[str, object], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    batch = apply_request(Request(kind, payload, NOW, 9), count(1).__next__)

    assert batch == Batch(taken=9, at=NOW)
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", "request refused")
    assert reason in vars(record)["reason"]
