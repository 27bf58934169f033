from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.message import Message, RunPart
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch
from tests.fakes.engine_rig import OPS, at
from tests.fakes.project import Project

SPAN = ("--since", "2026-11-16T09:00", "--until", "2026-11-16T10:00")
PLUGIN = """
    @deco(minutes=5)
    def lag():
        raise AssertionError("nothing is executed")
"""


def said(run: int, slot: str) -> Record:
    return Record(run, "db.lag", at(slot), Verdict.SAID, at(slot), timedelta(seconds=0.1), "late", "#ops", run)


@pytest.fixture
def remembered(project: Project) -> Project:
    project.write("plugins/db.py", PLUGIN)
    records = [
        said(1, "16 09:05"),
        said(2, "16 09:10"),
        said(3, "16 09:15"),
        Record(0, "db.lag", at("16 09:20"), Verdict.PAUSED, alerts=3, paused_until=at("16 09:35"), count=3,
               until=at("16 09:30")),
        Record(4, "db.lag", at("16 09:35"), Verdict.QUIET, at("16 09:35"), timedelta()),
        said(5, "16 09:40")._replace(binding="db.gone"),
    ]  # fmt: skip
    messages = [Message(f"m{run}", OPS, Text("late"), RunPart("db.lag", at("16 09:05"), run)) for run in (1, 2, 3, 5)]
    project.remember(Batch(records=records, messages=messages, at=at("16 09:40")))
    return project


def test_another_configuration_is_tried_on_what_was_recorded(remembered: Project) -> None:
    remembered.write("calm.conf", "[slack]\nmax_alert = 1\ntimezone = Europe/Berlin\n")

    done = remembered.run("simulate", "--replay", *SPAN, "-c", "calm.conf")

    assert (done.code, done.err) == (0, "")
    assert done.lines == [
        "AT (Europe/Berlin)   JOB     WAS      WOULD BE  TEXT",
        "2026-11-16 09:10:00  db.lag  message  paused    late",
        "2026-11-16 09:15:00  db.lag  message  paused    late",
        "",
        "4 recorded runs of 1 job replayed: 3 messages then, 1 now.",
        "2 messages saved, 0 added.",
        "First notice of 1 incident: 1 as it was.",
        "Left out: 1 message of jobs that are not there any more (db.gone 1).",
    ]


def test_what_nobody_can_know_is_counted(remembered: Project) -> None:
    done = remembered.run("simulate", "--replay", *SPAN, "--max-alert", "0")

    assert done.lines[1:3] == ["Nothing of it would be told otherwise.", "First notice of 1 incident: 1 as it was."]
    assert done.lines[3] == (
        "Unknown: 3 slots that did not run then and would now (db.lag 3). What they would have said, nobody knows; "
        "the figures leave them out."
    )


def test_first_notice_of_each_incident_is_compared(remembered: Project) -> None:
    remembered.write("plugins/db.py", PLUGIN.replace("minutes=5", "minutes=5, after=3, recover=True"))

    done = remembered.run("simulate", "--replay", *SPAN)

    assert done.lines[5:7] == [
        "INCIDENT SINCE (Europe/Berlin)  JOB     ALERTS    FIRST TOLD  WOULD BE",
        "2026-11-16 09:05:00             db.lag  3 alerts  09:05       09:15     10 min later",
    ]
    assert done.lines[9:11] == ["2 messages saved, 1 added.", "First notice of 1 incident: 1 later."]


def test_each_difference_is_one_document_and_the_sum_the_last(remembered: Project) -> None:
    run, _, incident, sums = remembered.run("simulate", "--replay", "--json", *SPAN, "--max-alert", "1").json_lines

    assert run == {
        "item": "run", "at": "2026-11-16T09:10:00+01:00", "job": "db.lag", "was": "said", "was_said": "post",
        "would_be": "paused", "would_say": None, "text": "late", "reason": None,
    }  # fmt: skip
    assert incident == {
        "item": "incident", "since": "2026-11-16T09:05:00+01:00", "last": "2026-11-16T09:15:00+01:00", "job": "db.lag",
        "alerts": 3, "told": "2026-11-16T09:05:00+01:00", "would_be_told": "2026-11-16T09:05:00+01:00",
    }  # fmt: skip
    assert sums == {
        "item": "sum", "runs": 4, "said": {"post": 3, "reply": 0, "edit": 0},
        "would_say": {"post": 1, "reply": 0, "edit": 0}, "saved": 2, "added": 0, "unknown": {}, "not_replayed": {},
        "folded_hours": {}, "folded_runs": {}, "dead": {}, "gone": {"db.gone": 1},
    }  # fmt: skip


def test_a_time_without_runs_says_so(project: Project) -> None:
    assert project.run("simulate", "--replay").lines == [
        "No recorded run in this time: `slack-alert history` lists what there is."
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--outcome", "lag=quiet"), "--replay takes the recorded outcomes. Leave out --outcome and --execute."),
        (("--execute",), "--replay takes the recorded outcomes. Leave out --outcome and --execute."),
        (
            ("--since", "2126-01-01"),
            "--until now is not after --since 2126-01-01. Only what has passed is known.",
        ),
    ],
)
def test_a_replay_that_cannot_be_is_refused(project: Project, words: tuple[str, ...], said: str) -> None:
    done = project.run("simulate", "--replay", *words)

    assert (done.code, done.err) == (2, f"slack-alert: {said}\n")
