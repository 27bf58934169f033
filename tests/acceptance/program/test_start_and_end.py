"""What a start says before anything runs, and what waits for a channel that is closed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message, Status
from slack_alert.engine.batches import Batch
from slack_alert.stores import SqliteStore
from tests.fakes.program import Program, running
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack

UTC = timezone.utc
QUIET = "@deco(minutes=5)\ndef watch():\n    return None\n"

pytestmark = pytest.mark.slow


def conf(slack: FakeSlack) -> str:
    return f"token = xoxb-test\nchannel = #ops\napi_url = {slack.url}\n"


def test_standby_takes_over_when_the_first_ends_and_ends_when_its_database_is_taken_away(tmp_path: Path) -> None:
    """It would go on writing where nobody reads, while a third one speaks as well."""
    with running(tmp_path, QUIET) as first:
        second = subprocess.Popen(
            [sys.executable, "-m", "slack_alert", "--standby", "--path", str(first.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with second:
            first.stop()
            assert second.stdout is not None
            assert "1 job" in second.stdout.readline()
            assert any("Ctrl+C ends." in line for line in second.stdout)
            shutil.rmtree(first.folder / ".slack_alert")
            _, errors = second.communicate(timeout=15)

        assert second.returncode == 1
        assert "the database was moved or deleted while running" in errors


def test_a_start_without_a_token_speaks_on_the_terminal_but_leaves_what_waits_for_slack(tmp_path: Path) -> None:
    """A lost token must not turn alerts into lines of a log nobody reads."""
    program = Program(tmp_path, "@deco(at_start=True, minutes=5, to='slack:#db')\ndef lag():\n    return 'slow'\n")
    store = SqliteStore(program.database)
    store.open()
    store.commit(Batch(messages=[Message("alert", Address("slack", "#ops"), Text("disk full"))], at=datetime.now(UTC)))
    store.close()

    program.start()
    program.wait_until(lambda: "slow" in program.out, "the alert")
    ended = program.stop()

    statuses = {delivery.message.key: delivery.status for delivery in program.outbox()}
    assert (ended, statuses.pop("alert"), set(statuses.values())) == (0, Status.QUEUED, {Status.SENT})
    assert "#db  slow" in program.out
    assert "disk full" not in program.out
    assert "there is no token" in program.errors


def test_broken_files_are_told_even_where_nothing_is_left_to_run(project: Project) -> None:
    project.write("plugins/db.py", "def broken(:\n")
    with FakeSlack() as slack:
        project.write("slack_alert.conf", f"[slack]\n{conf(slack)}")
        ended = project.run("run")

        assert ended.code == 1
        assert "there is nothing to run" in ended.err
        assert "SA101" in slack.messages[0].text


def test_a_wrong_path_leaves_nothing_behind(project: Project) -> None:
    before = {path.name for path in project.path.iterdir()}

    assert project.run("--path", "typo").code == 2
    assert {path.name for path in project.path.iterdir()} == before


SECRET = "xoxb-test-0123456789-secret"
LEAKS = f"""
import sys, threading
TOKEN = "{SECRET}"

@deco(at_start=True, hours=1)
def printed():
    print(TOKEN)
    print(TOKEN, file=sys.stderr)
    sys.stdout.buffer.write(TOKEN.encode())

@deco(at_start=True, hours=1)
def said():
    return "x" * 3995 + TOKEN

@deco(at_start=True, hours=1)
def uploaded():
    return (("word " * 10 + TOKEN + "\\n") * 1000)

@deco(at_start=True, hours=1)
def raised():
    raise ValueError(TOKEN)
"""


def test_a_secret_is_seen_nowhere(tmp_path: Path) -> None:
    with FakeSlack(token=SECRET) as slack:
        settings = conf(slack).replace("xoxb-test", SECRET) + "messages_per_second = 0\nscheduler = TornadoScheduler\n"
        with running(tmp_path, LEAKS, settings) as program:
            slack.wait_for_messages(4)
            program.stop()
            left = b"".join(path.read_bytes() for path in program.folder.glob(".slack_alert/state.db*"))
        told = "".join(message.text for message in slack.messages)
        files = b"".join(upload.content or b"" for upload in slack.uploads)

    fragment = SECRET[5:]
    assert "[secret]" in told
    assert b"[secret]" in files
    assert fragment not in told + program.out + program.errors
    assert fragment.encode() not in left + files
    assert "jobs.printed | [secret]" in program.errors
