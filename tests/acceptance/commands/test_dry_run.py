"""With --dry-run no command keeps or changes anything, and nothing leaves the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from slack_alert.bootstrap import wiring
from slack_alert.cli.main import COMMANDS
from slack_alert.cli.session import configured
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Pause, State
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project, ago
from tests.fakes.slack import FakeSlack

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

PLUGIN = """
    import os
    import signal

    @deco(minutes=5)
    def lag(ctx):
        ctx.store.set("seen", ctx.store.get("seen", 0) + 1)
        ctx.store.delete("old")
        ctx.pause("report", "1h")
        ctx.resume("lag")
        ctx.say("slow")
        return f"seen {ctx.store.get('seen')}"


    @deco(cron="0 9 * * mon-fri", max_alert=1)
    def report():
        raise ValueError("no")


    @deco(on="backup.done")
    def done(ctx):
        return "done"


    @deco(days=1, at_start=True)
    def ends():
        os.kill(os.getpid(), signal.SIGINT)
        return "ended"
"""

#: Each command with the words that would make it change the most, and whether it may not do what was asked.
WORDS = (
    "run",
    "check", "check --load", "check --budget",
    "jobs",
    "trigger lag", "trigger lag --post", "trigger report",
    "simulate", "simulate --execute --until 10m", "simulate --replay",
    "history",
    "explain lag",
    "report", "report --to #ops",
    "audit", "audit --verify", "audit --export record.jsonl", "audit --who-may lag",
    "status",
    "queue", "cancel 1",
    "chat",
    "pause lag", "pause db.* --for 1h",
    "resume lag",
    "mute lag --for 1h", "mute --all --for 1h",
    "unmute lag", "unmute --all",
    "ack lag",
    "outbox", "outbox retry 1", "outbox drop 1",
    "send hello",
    "exec nightly true", "exec nightly false",
    "emit backup.done size=1",
    "events", "rules", "rule test event.json", "sensors",
    "packs", "actions", "pack new another", "pack check another",
    "doctor",
    "manifest",
    "demo --fast",
    "init",
    "completion bash",
)  # fmt: skip


def test_every_command_is_tried() -> None:
    assert {words.split()[0] for words in WORDS} == set(COMMANDS)


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@contextmanager
def fetched() -> Iterator[tuple[str, list[str]]]:
    """Serve an address for heartbeats; return it, and what was fetched."""
    paths: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/beat", paths
        server.shutdown()
        thread.join()


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "used"])
def test_nothing_is_kept_changed_or_sent(words: str, is_new: bool, bare: Project, slack: FakeSlack) -> None:
    if words == "init":
        (bare.path / "plugins" / "db.py").unlink()
    else:
        bare.write("plugins/db.py", PLUGIN)
    if not is_new:
        use(bare)
    sent = len(slack.messages)
    with fetched() as (url, paths):
        if words != "init":
            conf = f"token = xoxb-test\nchannel = #ops\napi_url = {slack.url}\nheartbeat_url = {url}"
            bare.write("slack_alert.conf", f"[slack]\n{conf}\n")
        before = content(bare.path)

        bare.run("--dry-run", *words.split())

        after = content(bare.path)
        assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
    assert (slack.messages[sent:], paths) == ([], [])


@pytest.mark.parametrize("words", ["pause lag", "mute --all --for 1h", "trigger lag", "emit backup.done", "send hello"])
def test_nothing_is_left_for_a_running_program(words: str, bare: Project) -> None:
    use(bare)
    with bare.owned():
        bare.run(*words.split(), "--dry-run")

    assert SqliteInbox(inbox_path(bare.database)).peek() == []


def use(project: Project) -> None:
    """Leave what a run, a person and an outage would have left."""
    message = Message("a/1", Address("slack", "#nowhere"), Text("said"))
    incident = Incident(ago(hours=1), ago(minutes=5), 3, told=ago(hours=1), to="slack:#ops", root="a/1")
    project.remember(
        Batch(
            at=ago(hours=1),
            messages=[message],
            holds={"db.report": Pause(None, "ann")},
            states={"db.lag": State(incident=incident)},
            records=[Record(1, "db.lag", ago(hours=1), Verdict.SAID, text="late")],
            entries=[StoredValue("db", "old", "1")],
        )
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pause lag", "Dry run, nothing is changed; without it: db.lag is paused until"),
        ("resume report", "Dry run, nothing is changed; without it: db.report runs again."),
        ("mute lag --for 1h", "Dry run, nothing is changed; without it: db.lag is muted until"),
        ("unmute lag", "Dry run, nothing is changed; without it: db.lag was not muted."),
        ("ack lag", "Dry run, nothing is changed; without it: db.lag is taken care of by"),
        ("emit backup.done", "Dry run, nothing is changed; without it: backup.done: db.done will answer."),
        ("outbox drop 1", "Dry run, nothing is changed; without it: 1 is dropped."),
        ("trigger lag", "slow\nseen 1\n"),
    ],
)
def test_what_would_be_changed_is_said(words: str, said: str, bare: Project) -> None:
    bare.write("plugins/db.py", PLUGIN)
    use(bare)

    done = bare.run("--dry-run", *words.split())

    assert (done.code, done.out[: len(said)]) == (0, said)
    assert "is not running" not in done.err


def test_what_would_be_written_is_said(bare: Project) -> None:
    (bare.path / "plugins" / "db.py").unlink()

    assert bare.run("init", "--dry-run").lines[:2] == ["missing  plugins/example.py", "missing  slack_alert.conf"]


@pytest.mark.parametrize(("flags", "beats"), [({"dry_run": True}, False), ({}, True)])
def test_a_rehearsal_tells_nobody_that_the_program_is_alive(
    flags: dict[str, object], beats: bool, bare: Project
) -> None:
    bare.write("slack_alert.conf", "[slack]\nheartbeat_url = http://127.0.0.1:9/beat\n")

    heart = wiring._heartbeat(configured(flags).settings)

    assert (heart is not None) is beats
