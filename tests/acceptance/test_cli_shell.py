"""The command as the shell starts it: what is imported, what a closed pipe does, what the shell completes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.fakes.project import Project

HEAVY = {"apscheduler", "tornado", "gevent", "slack_sdk", "aiohttp", "asyncio", "sqlite3", "ssl"}
COMMAND = (sys.executable, "-m", "slack_alert")
REPOSITORY = os.pathsep.join(sys.path)


def shell(script: str, project: Project, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in the project, where $RUN is the command."""
    run = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script.replace("$RUN", run)],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def imported(project: Project, *words: str, **environ: str) -> set[str]:
    """Call the command line in a fresh interpreter; give the heavy modules it imported."""
    code = (
        "import sys; from slack_alert.cli import main\n"
        f"sys.argv = {['slack-alert', *words]!r}\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
    return HEAVY.intersection(ended.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("pause", "--help")])
def test_help_imports_no_library_it_does_not_need(words: tuple[str, ...], project: Project) -> None:
    assert imported(project, *words) == set()


@pytest.mark.slow
def test_completing_a_command_imports_no_library_it_does_not_need(project: Project) -> None:
    asked = {"_SLACK_ALERT_COMPLETE": "bash_complete", "COMP_WORDS": "slack-alert ", "COMP_CWORD": "1"}

    assert imported(project, **asked) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("slack-alert pa", ["plain,pause"]),
        ("slack-alert pause db.r", ["plain,db.report"]),
        ("slack-alert --dry-run pause --for 2h --path . ", ["plain,db.lag", "plain,db.report"]),
        ("slack-alert pause --path /nowhere ", []),
        ("slack-alert history --s", ["plain,--scheduler", "plain,--since"]),
    ],
)
def test_the_shell_completes_commands_options_and_jobs(words: str, expected: list[str], project: Project) -> None:
    asked = {"_SLACK_ALERT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    assert shell("$RUN", project, **asked).stdout.split() == expected


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

    people = shell("$RUN check", project, PYTHONIOENCODING="ascii")
    programs = shell("$RUN check --json", project, PYTHONIOENCODING="ascii")

    assert "db.gr??e" in people.stdout
    assert r'"db.gr\u00f6\u00dfe"' in programs.stdout
