"""The command as the shell starts it: what is imported, what a closed pipe does, what the shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.fakes.project import Project

HEAVY = {"apscheduler", "tornado", "gevent", "slack_sdk", "aiohttp", "asyncio", "sqlite3", "ssl"}
COMMAND = (sys.executable, "-m", "slack_alert")
REPOSITORY = os.pathsep.join(sys.path)
#: Makes the calls it reads, none of which may fail, and writes of each what it said, and which modules are there.
CALLS = """
import contextlib, io, json, os, sys
from slack_alert.cli.main import command_line as main

answers = []
for words, environ in json.load(sys.stdin):
    sys.argv = ["slack-alert", *words]
    os.environ.update(environ)
    said = io.TextIOWrapper(io.BytesIO(), sys.stdout.encoding, sys.stdout.errors)
    with contextlib.redirect_stdout(said):
        try:
            main()
        except SystemExit as ended:
            assert ended.code == 0, ended.code
    said.flush()
    answers.append((said.buffer.getvalue().decode(), list(sys.modules)))
print(json.dumps(answers))
"""
#: Words, and variables of the environment.
Asked = tuple[list[str], dict[str, str]]


def shell(script: str, project: Project) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in the project, where $RUN is the command."""
    run = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script.replace("$RUN", run)],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": REPOSITORY},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def called(project: Project, *calls: Asked, **environ: str) -> list[tuple[str, set[str]]]:
    """Call the command line in a fresh interpreter, one call after the other.

    Of each it gives what was said, and the heavy modules that are imported by then.
    """
    ended = subprocess.run(
        [sys.executable, "-c", CALLS],
        input=json.dumps(calls),
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return [(said, HEAVY.intersection(modules)) for said, modules in json.loads(ended.stdout)]


def completing(words: str) -> Asked:
    """Ask as the shell does at the press of a key."""
    return [], {"_SLACK_ALERT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}


@pytest.mark.slow
def test_help_and_completing_a_command_import_no_library_they_do_not_need(project: Project) -> None:
    calls: list[Asked] = [(["--help"], {}), (["--version"], {}), (["pause", "--help"], {}), completing("slack-alert ")]
    answers = called(project, *calls)

    assert [(bool(said), heavy) for said, heavy in answers] == [(True, set())] * len(calls)


COMPLETED = {
    "slack-alert pa": ["plain,pause", "plain,pack", "plain,packs"],
    "slack-alert pause db.r": ["plain,db.report"],
    "slack-alert --dry-run pause --for 2h --path . ": ["plain,db.lag", "plain,db.report"],
    "slack-alert pause --path /nowhere ": [],
    "slack-alert history --s": ["plain,--scheduler", "plain,--since"],
}


@pytest.mark.slow
def test_the_shell_completes_commands_options_and_jobs(project: Project) -> None:
    answers = called(project, *map(completing, COMPLETED))

    assert {words: said.split() for words, (said, _) in zip(COMPLETED, answers, strict=True)} == COMPLETED


@pytest.mark.parametrize(("name", "line"), [("zsh", "#compdef slack-alert"), ("fish", "complete --no-files")])
def test_the_script_for_a_shell_asks_by_the_variable_the_program_answers_to(
    name: str, line: str, project: Project
) -> None:
    done = project.run("completion", name)

    assert done.code == 0
    assert line in done.out
    assert f"_SLACK_ALERT_COMPLETE={name}_complete" in done.out


def test_a_shell_nobody_knows_is_exit_code_2(project: Project) -> None:
    assert project.run("completion", "tcsh").code == 2


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(project: Project) -> None:
    for number in range(200):
        project.write(f"plugins/many{number}.py", "@deco(minutes=1)\ndef job(): pass\n" * 1)

    ended = shell("$RUN check | true; echo ${PIPESTATUS[0]}", project)

    assert (ended.stdout, ended.stderr) == ("0\n", "")


@pytest.mark.slow
def test_a_full_disk_is_told_in_one_line(project: Project) -> None:
    ended = shell("$RUN check > /dev/full", project)

    assert ended.returncode == 1
    assert ended.stderr == "slack-alert: Standard output cannot be written: No space left on device.\n"


@pytest.mark.slow
def test_a_program_that_a_plugin_starts_cannot_write_into_the_document(project: Project) -> None:
    project.write("plugins/loud.py", "import os\nos.system('echo hello')\n\n@deco(minutes=1)\ndef x(): pass\n")

    ended = shell("$RUN check --load --json 2>/dev/null", project)

    assert ended.stdout.startswith('{"jobs": [{"name": "db.lag"')
    assert "hello" not in ended.stdout


@pytest.mark.slow
def test_what_a_terminal_cannot_show_is_replaced(project: Project) -> None:
    project.write("plugins/db.py", '@deco(minutes=1, name="größe")\ndef x(): pass\n')

    calls: list[Asked] = [(["check"], {}), (["check", "--json"], {})]
    (people, _), (programs, _) = called(project, *calls, PYTHONIOENCODING="ascii")

    assert "db.gr??e" in people
    assert r'"db.gr\u00f6\u00dfe"' in programs
