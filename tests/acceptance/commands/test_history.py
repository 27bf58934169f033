from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import DeliveryProgress, Message, RunPart, Status
from slack_alert.core.model.reason import UNCHANGED
from slack_alert.core.model.record import Record, Verdict
from slack_alert.engine.batches import Batch, JobProgress
from tests.fakes.project import Project, ago
from tests.fakes.reasons import reasons_of

OPS = Address("slack", "#ops")


def at(minute: int) -> datetime:
    return datetime(2026, 3, 2, 8, minute, tzinfo=timezone.utc)


SAID = Record(7, "db.lag", at(30), Verdict.SAID, at(30), timedelta(seconds=0.25), "late\nvery", "#ops", 1)
FAILED = Record(
    8, "db.report", at(31), Verdict.ERROR, at(31), timedelta(seconds=1), "failed", "#ops", error="E\nKeyError"
)
PAUSED = Record(0, "db.lag", at(35), Verdict.PAUSED, alerts=3, paused_until=at(59), count=4, until=at(50))


@pytest.fixture
def remembered(project: Project) -> Project:
    message = Message("m1", OPS, Text("late"), RunPart("db.lag", at(30), 7))
    (delivery,) = project.remember(Batch(records=[SAID, FAILED, PAUSED], messages=[message], at=at(30)))
    project.remember(Batch(progress=[DeliveryProgress(delivery.id, Status.DEAD, 2, at(31), None, "channel_not_found")]))
    return project


def jobs(project: Project, *words: str) -> list[str]:
    return [line["job"] for line in project.run("history", "--json", *words).json_lines]


def test_every_line_is_one_document_with_the_fate_of_its_messages(remembered: Project) -> None:
    said, failed, paused = remembered.run("history", "--json").json_lines

    assert said == {
        "at": "2026-03-02T09:30:00+01:00",
        "job": "db.lag",
        "verdict": "said",
        "text": "late\nvery",
        "to": "#ops",
        "alerts": 1,
        "paused_until": None,
        "run": 7,
        "started": "2026-03-02T09:30:00+01:00",
        "duration": 0.25,
        "error": None,
        "printed": None,
        "delivery": "dead",
        "attempts": 2,
        "receipt": None,
        "asked_by": None,
        "reason": None,
        "numbers": None,
        "cpu": None,
        "memory": None,
    }
    assert (failed["verdict"], failed["error"], failed["delivery"]) == ("error", "E\nKeyError", None)
    assert (
        paused["count"], paused["until"], paused["paused_until"], paused["run"],
    ) == (4, "2026-03-02T09:50:00+01:00", "2026-03-02T09:59:00+01:00", None)  # fmt: skip


def test_people_get_a_table_that_points_at_what_did_not_arrive(remembered: Project) -> None:
    assert remembered.run("history").lines == [
        "AT                   JOB        VERDICT  TEXT",
        "2026-03-02 09:30:00  db.lag     said     [dead] | late | very",
        "2026-03-02 09:31:00  db.report  error    failed",
        "2026-03-02 09:35:00  db.lag     paused   4 slots, until 2026-03-02 09:50:00",
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["db.lag", "db.report", "db.lag"]),
        (("db.lag",), ["db.lag", "db.lag"]),
        (("report",), ["db.report"]),
        (("db.*",), ["db.lag", "db.report", "db.lag"]),
        (("*re*",), ["db.report"]),
        (("--limit", "1"), ["db.lag"]),
        (("db.*", "--limit", "2"), ["db.report", "db.lag"]),
        (("--since", "2026-03-02T09:31"), ["db.report", "db.lag"]),
        (("--since", "2026-03-02T08:31Z"), ["db.report", "db.lag"]),
        (("--since", "2026-03-02T16:35", "--timezone", "Asia/Shanghai"), ["db.lag"]),
        (("--since", "1d"), []),
    ],
)
def test_lines_are_chosen_by_job_time_and_number(
    words: tuple[str, ...], expected: list[str], remembered: Project
) -> None:
    assert jobs(remembered, *words) == expected


def test_people_get_fifty_lines_and_programs_all(project: Project) -> None:
    begin = ago(hours=2)
    records = [Record(number, "db.lag", begin + timedelta(minutes=number), Verdict.QUIET) for number in range(1, 61)]
    project.remember(Batch(records=records))

    assert [len(project.run("history").lines), len(jobs(project))] == [51, 60]
    assert len(project.run("history", "--limit", "60").lines) == 61


def test_a_job_whose_plugin_is_gone_is_still_found(remembered: Project) -> None:
    remembered.write("plugins/db.py", "")
    remembered.remember(Batch(seen={"db.lag": JobProgress(at(0))}))

    assert jobs(remembered, "lag") == ["db.lag", "db.lag"]


def test_nothing_remembered_is_no_lines(project: Project) -> None:
    assert ((done := project.run("history")).code, done.out, done.err) == (0, "No runs.\n", "")
    assert project.run("history", "--json").out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "There is no job 'nothing'."),
        (("x.*",), "No job is called like 'x.*'."),
        (("--since", "noon"), "'noon' is not a time."),
        (("--limit", "0"), "0 is not in the range x>=1"),
    ],
)
def test_what_cannot_be_looked_up_is_exit_code_2(words: tuple[str, ...], said: str, remembered: Project) -> None:
    done = remembered.run("history", *words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_text_that_would_steer_the_terminal_is_made_harmless(project: Project) -> None:
    project.remember(Batch(records=[SAID._replace(text="red \x1b[31m alarm\x07")]))

    (_, line) = project.run("history").lines
    assert line.endswith("red \ufffd[31m alarm\ufffd")


def test_a_run_somebody_asked_for_is_told_from_an_alert(project: Project) -> None:
    project.remember(Batch(records=[SAID, SAID._replace(run=9, asked_by="ann", text="late\nagain")]))

    assert [line["asked_by"] for line in project.run("history", "--json").json_lines] == [None, "ann"]
    assert [line.split("said")[-1].strip() for line in project.run("history").lines[1:]] == [
        "late | very",
        "asked by ann | late | again",
    ]


def test_the_rule_behind_a_verdict_stands_before_the_text(project: Project) -> None:
    muted = SAID._replace(verdict=Verdict.MUTED, reasons=(UNCHANGED,))
    rested = PAUSED._replace(reasons=reasons_of("3 of 3 alerts since 08:59, until 09:59"))
    project.remember(Batch(records=[muted, rested]))

    assert [line["reason"] for line in project.run("history", "--json").json_lines] == [
        "said already, unchanged",
        "3 of 3 alerts since 08:59, until 09:59",
    ]
    assert [line[29:].partition(" | ")[0] for line in project.run("history").lines[1:]] == [
        "muted    said already, unchanged",
        "paused   3 of 3 alerts since 08:59, until 09:59",
    ]


def test_a_pipe_gets_the_beginning_of_a_long_text_and_programs_all_of_it(project: Project) -> None:
    text = "\n".join(f"line {number}" for number in range(200))
    project.remember(Batch(records=[SAID._replace(text=text)]))

    (_, line) = project.run("history").lines
    assert line.endswith("…")
    assert len(line) < 220
    assert project.run("history", "--json").json["text"] == text
