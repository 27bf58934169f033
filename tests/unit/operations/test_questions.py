"""What a person can ask of the store, and which part of it is read for that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.content.render import Text, Upload
from slack_alert.core.errors import SlackAlertError
from slack_alert.core.explain.job_status import JobStatus
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quota import Pause
from slack_alert.core.report.layout import Report
from slack_alert.core.report.statistics import Period
from slack_alert.engine.batches import Batch, JobProgress, Snapshot
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.requests.apply import mute_entry
from slack_alert.operations.history import history
from slack_alert.operations.job_lookup import JobLookup
from slack_alert.operations.jobs import list_jobs
from slack_alert.operations.report import report, report_piece
from slack_alert.operations.status import StoreState, status
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import BERLIN, OPS, at, make_job, make_rule

NOW = at("16 14:25")
JOBS = (make_job("db.lag"), make_job("db.size"), make_rule("disk.full"))
LOOKUP = JobLookup(lambda: Catalog(JOBS), str)
RECORDS = [
    Record(1, "db.lag", at("16 14:00"), Verdict.SAID, at("16 14:00"), timedelta(seconds=1), "lag", "#ops"),
    Record(2, "db.size", at("16 14:00"), Verdict.QUIET, at("16 14:00"), timedelta(seconds=3)),
    Record(3, "disk.full", at("16 14:05"), Verdict.QUIET, at("16 14:05"), timedelta(seconds=5)),
    Record(0, "db.lag", at("16 14:10"), Verdict.PAUSED),
]


def filled() -> MemoryStore:
    store = MemoryStore()
    store.open()
    store.commit(Batch(seen={"db.lag": JobProgress(at("10 00:00"))}, records=RECORDS, at=NOW))
    return store


@pytest.mark.parametrize(
    ("said", "limit", "runs"),
    [(None, None, [1, 2, 3, 0]), (None, 2, [3, 0]), ("lag", None, [1, 0]), ("db.*", None, [1, 2, 0]), ("db.*", 1, [0])],
)
def test_history_has_the_newest_lines_of_the_jobs_that_match(
    said: str | None, limit: int | None, runs: Sequence[int]
) -> None:
    lines = history(said, filled(), LOOKUP, since=None, limit=limit)

    assert [line.record.run for line in lines] == runs


def test_jobs_have_their_state_and_the_last_slot_that_ran() -> None:
    store = filled()
    store.commit(Batch(holds={"db.lag": Pause()}, at=NOW))
    mutes = Mutes([mute_entry(Mute("db.size", at("16 14:00"), at("16 15:00"), "ann"))], zone=BERLIN)
    lines = list_jobs(Catalog(JOBS), store, store.snapshot(), mutes, now=NOW)

    assert [(line.job.name, line.outlook.state, line.last_run) for line in lines] == [
        ("db.lag", JobStatus.PAUSED, at("16 14:00")),
        ("db.size", JobStatus.MUTED, at("16 14:00")),
        ("disk.full", JobStatus.ACTIVE, at("16 14:05")),
    ]


@pytest.mark.parametrize(
    ("said", "what", "jobs", "is_of_one"),
    [
        (None, "All jobs", ["db.lag", "db.size", "disk.full"], False),
        ("db.*", "db.*", ["db.lag", "db.size"], False),
        ("lag", "db.lag", ["db.lag"], True),
    ],
)
def test_a_report_is_about_the_jobs_that_match(said: str | None, what: str, jobs: list[str], is_of_one: bool) -> None:
    made = asked(said)

    assert (made.what, sorted(each.job for each in made.found), made.is_of_one) == (what, jobs, is_of_one)


def test_a_report_is_posted_as_a_picture_where_one_can_be_drawn_and_shown() -> None:
    made, mark = asked("lag"), Markup("4711")
    drawn, _ = report_piece(made, OPS, mark, draw=lambda _: b"PNG")
    listed, reason = report_piece(made, OPS, mark, draw=refusing)
    shown, nothing = report_piece(made, Address("console", ""), mark, draw=refusing)

    assert isinstance(drawn, Upload)
    assert drawn.content == b"PNG"
    assert (type(listed), reason) == (Text, "there is no font")
    assert (type(shown), nothing) == (Text, "")


def refusing(_: Report) -> bytes:
    raise SlackAlertError("there is no font")


def asked(said: str | None) -> Report:
    return report(said, filled(), LOOKUP, span=Period(at("16 13:00"), NOW), zone=BERLIN)


def pulse(**more: object) -> Snapshot:
    said = {"at": at("16 14:24:55").isoformat(), "turned": at("16 14:24:54").isoformat(), "clean": False}
    return Snapshot(pulse=json.dumps({**said, "began": at("16 09:00").isoformat(), **more}))


@pytest.mark.parametrize(
    ("store", "is_alive"),
    [
        (StoreState(Path("state.db"), pid=7, snapshot=pulse()), True),
        (StoreState(Path("state.db"), snapshot=pulse()), False),
        (StoreState(Path("state.db"), pid=7, snapshot=pulse(clean=True)), False),
        (StoreState(Path("state.db"), pid=7, snapshot=pulse(at=at("16 14:20").isoformat())), False),
        (StoreState(Path("state.db"), pid=7, snapshot=pulse(turned=at("16 14:20").isoformat())), False),
        (StoreState(Path("state.db"), pid=7, snapshot=pulse(refused=["slack"])), False),
        (StoreState(Path("state.db"), pid=7, snapshot=pulse(), fault="it is damaged"), False),
        (StoreState(Path("state.db")), False),
    ],
)
def test_it_is_alive_if_it_ticks_turns_and_sends_and_its_database_is_whole(store: StoreState, is_alive: bool) -> None:
    assert status(store, lambda _: [], now=NOW).is_alive == is_alive


def test_a_stall_that_the_program_does_not_notice_is_seen_from_outside() -> None:
    asked_since: list[datetime] = []

    def stalled(began: datetime) -> list[str]:
        asked_since.append(began)
        return ["#ops: nothing accepted"]

    vitals = status(StoreState(Path("state.db"), pid=7, snapshot=pulse()), stalled, now=NOW)

    assert (vitals.stalled, vitals.is_alive, asked_since) == (("#ops: nothing accepted",), False, [at("16 09:00")])
