"""One job, now, because a person asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.durable_values import number_entry
from slack_alert.stores import FileJournal, SqliteInbox, inbox_path, journal_path
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack

T = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)

PLUGIN = """
    @deco(minutes=5, to="#ops", errors_to="#dev")
    def fails(ctx):
        ctx.say("half way")
        raise ValueError("no")


    @deco(minutes=5, to="#ops")
    def spreads(ctx):
        ctx.say("there", to="#other")
        ctx.say("here")
        yield "and here"


    @deco(minutes=5, to="#ops")
    def quiet():
        return None


    @deco(minutes=5)
    def presses():
        raise KeyboardInterrupt


    @deco(minutes=5)
    def runs(ctx):
        import sys

        ctx.run([sys.executable, "-c", "print('a\\\\n' * 30 + 'the reason'); raise SystemExit(3)"])
"""


@pytest.fixture(autouse=True)
def _plugin(project: Project) -> None:
    project.write("plugins/db.py", PLUGIN)


def posted(project: Project, *words: str) -> list[tuple[str, str]]:
    """Trigger beside a running program, with --post; return what is left for it to say: where and what."""
    with project.owned():
        project.run("trigger", "--post", *words)
    (request,) = SqliteInbox(inbox_path(project.database)).peek()
    messages: Any = request.payload["messages"]  # JSON
    return [(message["conversation"], message["piece"]["text"]) for message in messages]


COUNTER = """
@deco(hours=1)
def count(ctx):
    ctx.store.set("n", ctx.store.get("n", 0) + 1)
    ctx.pause("count", 3600)
    return ctx.store.get("n")
"""


def left_by_a_kill(project: Project, value: int) -> None:
    """Leave a value in the journal that a function had set and nobody committed."""
    project.remember(Batch(entries=[StoredValue("jobs", "n", "1"), number_entry(1)]))
    kept = Batch(entries=[StoredValue("jobs", "n", str(value)), number_entry(2)], at=T)
    assert FileJournal(journal_path(project.database)).append(kept)


def state_of(project: Project, name: str) -> object:
    return next(job["state"] for job in project.run("jobs", "--json").json["jobs"] if job["name"] == name)


def test_a_value_that_a_kill_left_in_the_journal_is_the_value(project: Project) -> None:
    project.write("plugins/jobs.py", COUNTER)
    left_by_a_kill(project, 7)

    assert [project.run("trigger", "count").out for _ in range(2)] == ["8\n", "9\n"]


def test_a_dry_run_changes_no_value_and_no_pause_and_leaves_the_journal_as_it_is(project: Project) -> None:
    project.write("plugins/jobs.py", COUNTER)
    left_by_a_kill(project, 7)

    assert project.run("trigger", "count", "--dry-run").code == 0
    assert state_of(project, "jobs.count") == "active"

    assert journal_path(project.database).exists()
    assert project.run("trigger", "count").out == "8\n"
    assert state_of(project, "jobs.count") == "paused"


def test_an_exception_goes_where_the_jobs_errors_go(project: Project) -> None:
    (said, card) = posted(project, "fails")

    assert said == ("#ops", "half way")
    assert card[0] == "#dev"
    assert "ValueError" in card[1]


def test_what_is_said_elsewhere_goes_there(project: Project) -> None:
    assert posted(project, "spreads") == [("#other", "there"), ("#ops", "here"), ("#ops", "and here")]


def test_a_person_always_gets_an_answer(project: Project) -> None:
    assert posted(project, "quiet") == [("#ops", "done")]


def test_all_that_was_said_is_printed_and_recorded(project: Project) -> None:
    done = project.run("trigger", "spreads")

    assert (done.code, done.lines) == (0, ["there", "here", "and here"])
    (line,) = project.run("history", "--json").json_lines
    assert (line["text"], line["to"], line["verdict"]) == ("there\nhere\nand here", None, "said")


def test_a_posted_run_is_recorded_with_all_its_channels(project: Project) -> None:
    project.run("trigger", "spreads", "--post")

    assert project.run("history", "--json").json["to"] == "#other, #ops"


def test_who_asked_is_remembered(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    project.run("trigger", "quiet")

    assert project.run("history", "--json").json["asked_by"] == "ann"
    assert "asked by ann" in project.run("history").out


@pytest.mark.slow
def test_a_posted_message_that_slack_refuses_is_exit_code_1_and_says_why(project: Project) -> None:
    with FakeSlack() as slack:
        project.write("slack_alert.conf", f"[slack]\ntoken = xoxb-test\nchannel = #ops\napi_url = {slack.url}\n")
        project.write("plugins/db.py", '@deco(minutes=1, to="#nowhere")\ndef x():\n    return "hi"\n')

        done = project.run("trigger", "x", "--post")

    assert (done.code, done.out) == (1, "hi\n")
    assert "Message 1 is dead: channel_not_found: #nowhere does not exist" in done.err


@pytest.mark.parametrize("words", [("trigger", "presses"), ("simulate", "--execute", "--until", "6m")])
def test_an_interrupt_that_a_plugin_raises_is_its_own_failure(words: tuple[str, ...], project: Project) -> None:
    done = project.run(*words)

    assert "db.presses failed: KeyboardInterrupt" in done.out


def test_the_output_of_a_program_that_failed_is_in_the_record_and_not_in_the_card(project: Project) -> None:
    done = project.run("trigger", "runs", "--json")

    document = done.json
    assert done.code == 1
    assert "Its output, the last 20 of 31 lines:\na\n" in document["error"]
    assert document["error"].endswith("\nthe reason\n")
    assert "the reason" not in document["text"].replace("the reason'); raise", "")


@pytest.fixture
def sleeping(project: Project) -> Iterator[subprocess.Popen[str]]:
    """Trigger a job that waits; it has begun."""
    project.write("plugins/db.py", "@deco(minutes=1)\ndef x():\n    import time\n    print('up')\n    time.sleep(30)\n")
    command = [sys.executable, "-m", "slack_alert", "trigger", "x"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=project.path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        yield process
        process.kill()


@pytest.mark.slow
def test_ctrl_c_ends_the_command(sleeping: subprocess.Popen[str]) -> None:
    sleeping.send_signal(signal.SIGINT)

    assert sleeping.wait(timeout=10) == 130
