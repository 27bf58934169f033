"""The three standard streams: full, closed, or asked by a job; alerts go on, and each command ends as it should."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.program import Program
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack

ROOT = Path(__file__).parents[3]
FULL = "/dev/full"
LOST = "slack-alert: Standard output cannot be written: No space left on device.\n"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(FULL).exists(), reason="there is no /dev/full here"),
    pytest.mark.thorough,
]

#: Calls the command in a copy of this process for each case, with descriptors closed (None) or led to a file; gives the
#: exit codes, and what was said on standard error where that was left as it is.
EACH = """
import json, os, sys
from importlib import import_module
from pathlib import Path
from slack_alert.cli import main
from slack_alert.cli.main import COMMANDS

# What they need is imported once.
for module, _ in COMMANDS.values():
    import_module(f"slack_alert.cli.{module}")
LATE = "bootstrap.oneshot.requests bootstrap.oneshot.exec_program bootstrap.oneshot.demo cli.setup.doctor_checks"
for module in (*LATE.split(), "engine.simulation.simulation"):
    import_module(f"slack_alert.{module}")

def call(words, streams):
    errors = os.open("errors.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(errors, 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    for number, place in streams.items():
        os.close(int(number))
        if place:
            os.dup2(os.open(place, os.O_RDWR), int(number))
    names = ("stdin", "r"), ("stdout", "w"), ("stderr", "w")
    for number, (name, mode) in enumerate(names):
        has_it = streams.get(str(number), "") is not None
        setattr(sys, name, open(number, mode, closefd=False) if has_it else None)
    sys.argv = ["slack-alert", *words]
    main()

ended = []
for words, streams in json.load(sys.stdin):
    child = os.fork()
    if not child:
        try:
            call(words, streams)
        finally:
            os._exit(99)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended.append((code, Path("errors.txt").read_text()))
print(json.dumps(ended))
"""

#: Every command, and the exit code it has where all is well.
COMMANDS: list[tuple[list[str], int]] = [
    (["--help"], 0),
    (["--version"], 0),
    (["trigger", "--help"], 0),
    (["nonsense"], 2),
    (["trigger", "db.lag"], 0),
    (["check"], 0),
    (["check", "--json"], 0),
    (["jobs"], 0),
    (["history", "--json"], 0),
    (["history"], 0),
    (["status"], 1),
    (["status", "--json"], 1),
    (["trigger", "nobody"], 2),
    (["simulate"], 0),
    (["simulate", "--json"], 0),
    (["explain", "db.lag"], 0),
    (["report"], 0),
    (["pause", "db.lag"], 0),
    (["mute", "db.lag", "--for", "5m"], 0),
    (["ack", "db.lag"], 1),
    (["outbox"], 0),
    (["doctor"], 0),
    (["manifest"], 0),
    (["completion", "bash"], 0),
    (["init"], 0),
    (["emit", "noticed"], 0),
]
#: These say nothing on standard output of their own.
SILENT: list[tuple[list[str], int]] = [
    (["send", "hello"], 0),
    (["exec", "nightly", "--", "sh", "-c", "echo copied; exit 3"], 3),
]


def called(project: Project, streams: dict[int, str | None], *commands: list[str]) -> list[tuple[int, str]]:
    """Call each command with its streams as said: led to a file, or closed."""
    project.write("plugins/bare.py", "")
    ended = subprocess.run(
        [sys.executable, "-c", EACH],
        input=json.dumps([(words, streams) for words in commands]),
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [tuple(each) for each in json.loads(ended.stdout)]


def test_a_full_disk_behind_standard_output_is_one_sentence_and_no_success(project: Project) -> None:
    ended = called(project, {1: FULL}, *[words for words, _ in COMMANDS])

    codes = {" ".join(words): code or 1 for words, code in COMMANDS}
    assert {" ".join(words): code for (words, _), (code, _) in zip(COMMANDS, ended, strict=True)} == codes
    for (words, own), (_, said) in zip(COMMANDS, ended, strict=True):
        assert "Traceback" not in said
        assert (LOST in said) == (own != 2), words
    # All that a command was called for is done.
    assert (project.path / "slack_alert.conf").exists()
    assert {line["verdict"] for line in project.run("history", "--json").json_lines} == {"said"}


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param({0: None, 1: None, 2: None}, id="all closed"),
        pytest.param({2: FULL}, id="full error", marks=pytest.mark.thorough),
        pytest.param({1: FULL, 2: FULL}, id="both full", marks=pytest.mark.thorough),
    ],
)
def test_each_command_has_its_own_exit_code_whatever_takes_what_it_says(
    streams: dict[int, str | None], project: Project
) -> None:
    commands = [*COMMANDS, *SILENT]

    ended = called(project, streams, *[words for words, _ in commands])

    is_full = streams.get(1) == FULL
    expected = [own or int(is_full and (words, own) not in SILENT) for words, own in commands]
    assert [code for code, _ in ended] == expected


def test_what_is_opened_later_does_not_become_a_standard_stream(project: Project) -> None:
    """The lock of the database would be what a plugin's program writes its errors into."""
    project.write("plugins/loud.py", "import os\n\n@deco(minutes=1)\ndef loud():\n    os.system('echo hello >&2')\n")

    (ended,) = called(project, {0: None, 1: None, 2: None}, ["trigger", "loud.loud"])

    assert ended[0] == 0
    written = b"".join(file.read_bytes() for file in (project.path / ".slack_alert").iterdir() if file.is_file())
    assert b"hello" not in written


ASKS = """
import subprocess, sys

@deco(hours=1, at_start=True)
def asks():
    return f"answered {input('Really? ')!r}"

@deco(hours=1, at_start=True)
def reads():
    return f"read {sys.stdin.read()!r}"

@deco(hours=1, at_start=True)
def program():
    done = subprocess.run(["sh", "-c", "read answer; echo got:$answer"], capture_output=True, text=True)
    return done.stdout

@deco(hours=1, at_start=True)
async def later():
    return f"answered {input()!r}"
"""


@pytest.mark.parametrize(
    "scheduler",
    [
        "AsyncIOScheduler",
        pytest.param("GeventScheduler", marks=pytest.mark.thorough),
        pytest.param("BackgroundScheduler", marks=pytest.mark.thorough),
        pytest.param("TornadoScheduler", marks=pytest.mark.thorough),
    ],
)
def test_alerts_go_on_with_both_streams_full_and_jobs_that_ask_find_no_answer(scheduler: str, tmp_path: Path) -> None:
    """Standard input stands for a terminal at which nobody answers: it is open, and nothing comes."""
    with FakeSlack() as slack:
        settings = f"token = xoxb-test\nchannel = #ops\napi_url = {slack.url}\nmessages_per_second = 0\n"
        program = Program(tmp_path, ASKS, f"{settings}scheduler = {scheduler}\n")
        running = subprocess.Popen(
            [sys.executable, "-m", "slack_alert", "--path", str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=os.open(FULL, os.O_WRONLY),
            stderr=os.open(FULL, os.O_WRONLY),
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        )
        with running:
            try:
                slack.wait_for_messages(4)
                running.send_signal(signal.SIGTERM)
                code = running.wait(15)
            finally:
                running.kill()
        told = [message.text for message in slack.messages]

    assert code == 0
    assert sum("EOFError" in text for text in told) == 2
    assert sum("got:" in text for text in told) == 1
    assert {line.record.printed for line in program.history("reads")} == {None}


def test_a_job_that_is_triggered_finds_no_answer_either(project: Project) -> None:
    project.write("plugins/ask.py", "@deco(minutes=1)\ndef ask():\n    return input()\n")

    done = project.run("trigger", "ask.ask", stdin="yes\n")

    assert done.code == 1
    assert "EOFError" in done.err
