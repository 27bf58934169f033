from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, RunPart, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.quota import Pause
from slack_alert.engine.batches import Batch, JobProgress
from tests.fakes.project import Project
from tests.fakes.reasons import reasons_of

OPS = Address("slack", "#ops")


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, second, 250_000, tzinfo=timezone.utc)


SAID = Record(7, "db.lag", at(8, 30), Verdict.SAID, at(8, 30), timedelta(seconds=0.25), "late", "#ops", 1)
MISSED = Record(
    0,
    "db.lag",
    at(8, 35),
    Verdict.MISSED,
    reasons=reasons_of("because the program was not running from 09:31 to 12:00"),
)


@pytest.fixture
def remembered(project: Project) -> Project:
    message = Message("m1", OPS, Text("late"), RunPart("db.lag", at(8, 30), 7))
    seen = {"db.lag": JobProgress(at(8)), "db.report": JobProgress(at(8))}
    (delivery,) = project.remember(Batch(seen=seen, records=[SAID, MISSED], messages=[message], at=at(8, 30)))
    project.remember(
        Batch(
            progress=[
                DeliveryProgress(delivery.id, Status.DEAD, 2, at(8, 31), None, "channel_not_found", is_answer=True)
            ]
        )
    )
    return project


def test_slot_is_explained_by_the_time_people_read(remembered: Project) -> None:
    assert remembered.run("explain", "lag", "--at", "2026-03-02T09:30").lines == [
        "db.lag was due at Mon 02 Mar 09:30 (every 5m).",
        "It ran for 0.25s and said “late” to #ops.",
        "With it, 1 of 3 alerts within 1h are used.",
        "Its message is dead: Slack said channel_not_found. `slack-alert outbox retry 1` sends it again.",
        "After that, Mon 02 Mar 09:35: missed; because the program was not running from 09:31 to 12:00.",
    ]


def test_slot_that_did_not_run_is_explained(remembered: Project) -> None:
    assert remembered.run("explain", "lag", "--at", "2026-03-02T08:36Z").lines[1] == (
        "It did not run: it was missed because the program was not running from 09:31 to 12:00."
    )


def test_how_a_job_stands_is_explained_without_a_time(remembered: Project) -> None:
    remembered.remember(Batch(holds={"db.lag": Pause()}))

    assert remembered.run("explain", "lag").lines == [
        "slack-alert is not running: this is as if it were started now.",
        "db.lag does not run: it is paused until resumed; `slack-alert resume db.lag` lets it run.",
        "It does not run before it is resumed.",
        "Its last slots, the newest first:",
        "Mon 02 Mar 09:35: missed; because the program was not running from 09:31 to 12:00.",
        "Mon 02 Mar 09:30: said “late”; dead.",
    ]


def test_time_to_come_is_explained(remembered: Project) -> None:
    said = remembered.run("explain", "report", "--at", "2036-03-02T12:00").lines

    assert said[0] == "db.report is due at 29 Feb 2036 09:00 (cron 0 9 * * mon-fri)."
    assert said[1].startswith("As things stand it will run, within its working hours mon-fri 9:00-18:00, and may speak")


def test_programs_get_the_sentences_and_what_they_are_about(remembered: Project) -> None:
    said = remembered.run("explain", "lag", "--at", "2026-03-02T09:30", "--json").json

    assert len(said.pop("sentences")) == 5
    assert said == {
        "job": "db.lag",
        "at": "2026-03-02T09:30:00.250000+01:00",
        "verdict": "said",
        "reason": None,
        "run": 7,
        "messages": [
            {
                "id": 1,
                "to": "#ops",
                "status": "dead",
                "attempts": 2,
                "reason": "channel_not_found",
                "receipt": None,
                "in_front": 0,
            }
        ],
    }
    assert remembered.run("explain", "report", "--json").json["verdict"] is None


def test_job_whose_plugin_is_gone_is_explained(remembered: Project) -> None:
    remembered.write("plugins/db.py", "")

    assert "No plugin has db.lag any more, so it does not run." in remembered.run("explain", "lag").lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "There is no job 'nothing'."),
        (("lag", "--at", "noon"), "'noon' is not a time."),
        ((), "JOB"),
        (("lag", "--at", ""), "'' is not a time."),
    ],
)
def test_what_cannot_be_asked_is_exit_code_2(words: tuple[str, ...], said: str, remembered: Project) -> None:
    done = remembered.run("explain", *words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
