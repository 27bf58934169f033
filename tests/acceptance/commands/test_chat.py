"""The verbs of the program at a terminal, as transcripts: what is typed, and what is answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from textwrap import dedent

import pytest

from slack_alert.core.errors import StoreError
from slack_alert.stores import SqliteReader

PLUGINS = '''
    from typing import Literal


    @deco(command="deploy", allow="ops")
    def deploy(ctx, app: str, env: Literal["staging", "prod"] = "staging"):
        """Put an application into an environment.

        Example: deploy shop prod
        """
        return f"{app} is on {env}"


    @deco(command="vault", hidden=True)
    def vault():
        return "open"


    @deco(minutes=5)
    def disk():
        """The disk fills up."""
        return "disk 93 %"


    @deco(minutes=5)
    def broken():
        raise ValueError("no such table")


    @deco(on="changed_file")
    def changed(path):
        return f"{path} has changed"
'''
ROLES = """
    [chat]
    admins = U1
    [roles]
    ops = U1
"""

pytestmark = pytest.mark.slow


class Terminal:
    """A terminal at which a line is answered before the next one is typed."""

    def __init__(self, folder: Path, conf: str = "") -> None:
        self._folder, self._typed = folder, 0
        (folder / "plugins").mkdir()
        (folder / "plugins" / "jobs.py").write_text(dedent(PLUGINS), encoding="utf-8")
        sections = dedent(ROLES).replace("admins = U1", f"admins = U1\n{conf}")
        (folder / "slack_alert.conf").write_text(f"[slack]\ntimezone = UTC\n{sections}", encoding="utf-8")
        self._out = (folder / "out.txt").open("w+", encoding="utf-8")
        home = {"HOME": str(folder), "TZ": "UTC", "USER": "ann", "LOGNAME": "ann"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "slack_alert", "chat", "--path", str(folder)],
            stdin=subprocess.PIPE, stdout=self._out, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **home},
        )  # fmt: skip

    def says(self, line: str) -> str:
        """Return the answer; what differs from run to run is left out."""
        before = self._said()
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)
        self._typed += 1
        until = time.monotonic() + 20
        while not self._is_answered():
            assert time.monotonic() < until, f"no answer to {line!r}"
            time.sleep(0.02)
        text = re.sub(r"(done in|after) [\d.]+ \w+", r"\1 T", self._said().removeprefix(before))
        text = re.sub(r"\b\d\d:\d\d(:\d\d)?\b", "HH:MM", text)
        return re.sub(r"[ \t]+", " ", re.sub(r"-{3,}", "-", text)).strip()

    def close(self) -> None:
        self.process.communicate()
        self._out.close()

    def _is_answered(self) -> bool:
        """Return whether all lines are on record, which the end of each is, and all answers were shown."""
        database = self._folder / ".slack_alert" / "state.db"
        if not database.exists():
            return False
        with suppress(StoreError), closing(SqliteReader(database)) as reader:
            return len(list(reader.audit(since=None, limit=None))) == self._typed and not reader.waiting(None, 0, 1)
        return False

    def _said(self) -> str:
        return (self._folder / "out.txt").read_text(encoding="utf-8")


@pytest.fixture
def conf() -> str:
    return ""


@pytest.fixture
def terminal(tmp_path: Path, conf: str) -> Iterator[Terminal]:
    made = Terminal(tmp_path, conf)
    yield made
    made.close()


def test_help_lists_the_commands_of_the_team_before_the_verbs_and_hides_what_is_hidden(terminal: Terminal) -> None:
    said = terminal.says("help")

    own, verbs, hint = said.split("\n\n")
    assert own == "`deploy` Put an application into an environment."
    assert {line.split("`")[1] for line in verbs.splitlines()} == {
        "pause", "resume", "mute", "unmute", "ack", "help", "why", "audit", "whoami", "jobs", "status", "queue",
        "history", "report", "run", "cancel", "subscribe", "unsubscribe", "emit",
    }  # fmt: skip
    assert max(map(len, said.splitlines())) <= 80
    assert hint == "`help WORD` has more about one."


def test_help_explains_a_command_and_finds_it_by_a_word(terminal: Terminal) -> None:
    assert terminal.says("help deploy") == (
        "`deploy APP [ENV=staging|prod]`\n"
        "Put an application into an environment.\n"
        "Example: `deploy shop prod`\n"
        "Who may: U1, the terminal"
    )
    assert terminal.says("help application") == "`deploy` Put an application into an environment."
    assert terminal.says("help deplyo") == (
        "not run: No command that you may run is about 'deplyo'. Did you mean deploy?"
    )


def test_a_job_is_run_by_its_name_and_its_run_is_explained(terminal: Terminal) -> None:
    assert terminal.says("run disk") == "done in T\ndisk 93 %"
    assert terminal.says("run changed path=/etc/hosts") == "done in T\n/etc/hosts has changed"
    assert terminal.says("run changed") == (
        "not run: jobs.changed needs the field path.\nWrite `run jobs.changed path=...`.\nUsage: `run JOB [FIELDS...]`"
    )
    assert terminal.says("run broken").startswith("failed after T, E-3: ValueError: no such table")
    assert terminal.says("run dosk").startswith("not run: There is no job 'dosk'.\nDid you mean disk?")
    assert terminal.says("history") == (
        "at job verdict text\n- - - -\n"
        "HH:MM jobs.disk said disk 93 %\n"
        "HH:MM jobs.changed said /etc/hosts has changed\n"
        "HH:MM jobs.broken error ValueError: no such table"
    )
    assert "HH:MM: error" in terminal.says("why broken")
    assert sorted(terminal.says("report").splitlines()[2:]) == [
        "jobs.broken 1 0% 0", "jobs.changed 1 100% 0", "jobs.disk 1 100% 0",
    ]  # fmt: skip


def test_jobs_rest_and_are_silent_in_the_sentences_of_the_command_line(terminal: Terminal) -> None:
    assert re.match(r"jobs\.disk is paused until .*HH:MM\.", terminal.says("pause disk for 2h"))
    assert terminal.says("pause *disk") == "jobs.disk is paused until `resume jobs.disk`."
    assert terminal.says("resume disk") == "jobs.disk runs again."
    assert terminal.says("resume disk") == "jobs.disk was not paused."
    assert terminal.says("mute *").startswith("jobs.disk, jobs.broken and jobs.changed are muted until ")
    assert terminal.says("unmute disk") == "jobs.disk speaks again."
    assert terminal.says("unmute") == "All jobs speak again."
    assert terminal.says("ack disk") == "jobs.disk has no open incident that was told."
    assert terminal.says("pause dosk") == "not run: There is no job 'dosk'. Did you mean disk?"
    assert terminal.says("pause x*") == "not run: No job is called like 'x*'. `jobs` lists them."
    assert terminal.says("mute disk for 1h until 23:59") == (
        "not run: `for` and `until` contradict each other. Write `for 2h` or `until HH:MM`."
    ).replace("HH:MM", "9:00")


def test_half_a_word_is_completed_and_a_wrong_one_is_answered_with_the_nearest(terminal: Terminal) -> None:
    assert terminal.says("sta").startswith("state it runs for this terminal alone")
    assert terminal.says("deplyo shop") == "not run: There is no command 'deplyo'.\nDid you mean deploy?"
    assert terminal.says("cancel 99") == "not run: There is no run 99 to cancel. Nothing runs, and nothing waits."
    assert terminal.says("subscribe deploy") == (
        "not run: A terminal is gone tomorrow. Name a channel: `subscribe deploy #ops`."
    )


@pytest.mark.parametrize("conf", ["cli_role = members"])
def test_what_was_denied_is_explained_again(terminal: Terminal) -> None:
    terminal.says("deploy shop")

    assert terminal.says("why deploy").splitlines()[0] == "`deploy shop` was denied at HH:MM."
    assert "`deploy` is for ops" in terminal.says("why")
    assert "deploy" not in terminal.says("help")
