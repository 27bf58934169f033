from __future__ import annotations

import struct
import sys
from datetime import timedelta

import pytest

from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import State
from slack_alert.engine.batches import Batch
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project, ago
from tests.fakes.slack import FakeSlack

PNG = b"\x89PNG\r\n\x1a\n"


def ran(minutes: float, verdict: Verdict = Verdict.QUIET, job: str = "db.lag", **fields: object) -> Record:
    slot = ago(minutes=minutes)
    record = Record(1, job, slot, verdict, slot, timedelta(seconds=2))
    return record._replace(**fields)  # type: ignore[arg-type]  # each test names what it is about


@pytest.fixture
def remembered(project: Project) -> Project:
    """Two jobs within the last hour, and one run of the day before."""
    begun = ago(minutes=50)
    outcome = Outcome("", Verdict.ERROR, "KeyError", "'x'")
    failed = {"text": "✗ db.report failed: KeyError: 'x'", "error": "Traceback", "outcome": outcome}
    records = [
        ran(26 * 60, duration=timedelta(seconds=1)),
        ran(50, Verdict.SAID, numbers={"db1": 1, "db2": 5}),
        ran(40, Verdict.SAID, numbers={"db1": 3}, usage=Usage(timedelta(seconds=1), 50 * 1024**2)),
        ran(30, Verdict.ERROR, "db.report", **failed),
        ran(20, Verdict.PAUSED, duration=None, count=4, until=ago(minutes=5)),
    ]
    project.remember(Batch(records=records, states={"db.lag": State(incident=Incident(begun, begun, 2))}))
    return project


def test_people_get_a_row_for_each_job(remembered: Project) -> None:
    done = remembered.run("report")
    title, line, _, head, *rows = done.lines

    assert (done.code, done.err) == (0, "")
    assert title.startswith("All jobs, ")
    assert line == "2 jobs, 3 runs, 66.7% without error, 2 alerts, 1 incident (1 open)"
    assert head.split("  ")[0] == "JOB"
    assert rows[0].split()[:6] == ["db.lag", "2", "100%", "2", "s", "+100%"]
    assert rows[1].endswith("1 KeyError")


def test_one_job_is_told_of_in_detail(remembered: Project) -> None:
    said = remembered.run("report", "lag", "--since", "1h").out

    assert said.startswith("db.lag, ")
    assert "\nruns           2, 100% without error, 4 slots did not run\n" in said
    assert "\nprocessor      1 s, at most 50 MB of memory\n" in said
    assert "\nNUMBER  LAST  MIN  MEAN  MAX  OVER TIME\ndb1     3     1    2     3    " in said


def test_a_program_gets_one_document(remembered: Project) -> None:
    document = remembered.run("report", "--json").json
    lag, report = document["jobs"]

    assert (lag["job"], lag["runs"], lag["not_run"], lag["p50"], lag["before"]) == (
        "db.lag", 2, 4, 2.0, {"p50": 1.0, "p95": 1.0},
    )  # fmt: skip
    assert (lag["cpu"], lag["memory"]) == (1.0, 50 * 1024**2)
    assert [(incident["until"], incident["alerts"]) for incident in lag["incidents"]] == [(None, 2)]
    assert {name: (one["last"], one["mean"]) for name, one in lag["numbers"].items()} == {"db1": (3, 2), "db2": (5, 5)}
    assert (report["success"], report["errors"]) == (0.0, {"KeyError": 1})
    assert document["until"].endswith(("+01:00", "+02:00"))


def test_several_jobs_are_chosen_by_a_pattern(remembered: Project) -> None:
    assert [job["job"] for job in remembered.run("report", "*.re*", "--json").json["jobs"]] == ["db.report"]


def test_nothing_that_ran_is_no_table(project: Project) -> None:
    title, line = project.run("report", "--since", "7d").lines

    assert title.endswith("(7d)")
    assert line == "No runs."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "There is no job 'nothing'."),
        (("--since", "noon"), "'noon' is not a time."),
        (("--since", "2199-01-01"), "--since 2199-01-01 has not come yet."),
        (("--to", "#ops", "--json"), "choose either"),
    ],
)
def test_what_cannot_be_reported_is_exit_code_2(words: tuple[str, ...], said: str, remembered: Project) -> None:
    done = remembered.run("report", *words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.slow
@pytest.mark.parametrize("words", [pytest.param((), marks=pytest.mark.thorough), ("lag",)])
def test_a_channel_gets_a_picture(words: tuple[str, ...], remembered: Project) -> None:
    with FakeSlack() as slack:
        remembered.write("slack_alert.conf", f"[slack]\ntoken = xoxb-test\nchannel = #ops\napi_url = {slack.url}\n")

        done = remembered.run("report", *words, "--to", "#ops")

        assert (done.code, done.err) == (0, "")
        (upload,) = slack.uploads
        (message,) = slack.messages
    assert upload.content is not None
    assert (upload.filename, upload.content[:8]) == ("report.png", PNG)
    width, height = struct.unpack(">II", upload.content[16:24])
    assert (width, height > 900) == (1920, True)
    assert message.text.startswith(("*All jobs, ", "*db.lag, "))


def posted(project: Project) -> dict[str, str]:
    """Return what a running program would send."""
    project.write("slack_alert.conf", "[slack]\ntoken = xoxb-test\nchannel = #ops\n")
    with project.owned():
        done = project.run("report", "--to", "#ops")
    (request,) = SqliteInbox(inbox_path(project.database)).peek()
    piece = request.payload["piece"]
    assert isinstance(piece, dict)
    return {**piece, "err": done.err}


def test_without_what_draws_it_a_table_goes_and_the_command_says_what_to_install(
    remembered: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    said = posted(remembered)

    assert said["err"] == (
        "slack-alert: it goes as a table, because there is no resvg_py, which draws it: "
        "install slack-alert with the extra `charts`, `pip install 'slack-alert[charts]'`.\n"
    )
    assert said["text"].startswith("All jobs, ")
    assert "\n```\nJOB  " in said["text"]
    assert "1 KeyError" in said["text"]


def test_a_terminal_gets_a_table(remembered: Project) -> None:
    done = remembered.run("report", "--to", "#ops", "--dry-run")

    assert done.code == 0
    assert "#ops  All jobs, " in done.out
    assert "1 KeyError" in done.out


def test_a_report_of_nothing_is_posted_as_well(project: Project) -> None:
    said = posted(project)

    assert (said["text"].splitlines()[1], said["err"]) == ("No runs.", "")
