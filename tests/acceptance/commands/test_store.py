"""`slack-alert store`: what functions keep in `ctx.store`, read and changed from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import running
from tests.fakes.project import Project

pytestmark = pytest.mark.slow

PLUGIN = """
    @deco(minutes=5)
    def show(ctx):
        return f"{ctx.store.get('level')} {ctx.store.get('token')}"
"""


@pytest.fixture
def counting(project: Project) -> Project:
    project.write("plugins/db.py", PLUGIN)
    return project


def test_a_value_is_set_read_listed_and_deleted(counting: Project) -> None:
    assert counting.run("store", "list").out.startswith("No values")
    assert counting.run("store", "set", "level", "7").out == "level of db is set.\n"
    assert counting.run("store", "get", "level").out == "7\n"
    assert counting.run("store", "set", "level", "[1, null]", "--from-json", "--expires", "2d").code == 0
    (line,) = [json.loads(line) for line in counting.run("store", "list", "--json").out.splitlines()]
    assert line.pop("expires") is not None
    assert line == {"pack": "db", "key": "level", "value": [1, None], "encrypted": False}
    assert counting.run("store", "delete", "level").out == "level of db is deleted.\n"
    assert counting.run("trigger", "show").out == "None None\n"


def test_an_encrypted_value_is_shown_only_where_it_is_asked_for(counting: Project) -> None:
    counting.run("store", "set", "token", "-", "--encrypt", stdin="hunter2-long\n")

    assert "hunter2" not in counting.run("store", "list").out + counting.run("store", "get", "token").out
    assert counting.run("store", "get", "token", "--decrypt").out == "hunter2-long\n"
    assert counting.run("trigger", "show").out == "None [secret]\n"
    assert all(b"hunter2" not in each.read_bytes() for each in counting.path.rglob("*") if each.is_file())


def test_a_value_is_set_only_in_the_place_of_the_expected_one(counting: Project) -> None:
    counting.run("store", "set", "level", "7")

    refused = counting.run("store", "set", "level", "8", "--expected", "6")
    assert (refused.code, refused.err) == (1, "level of db has another value; nothing is changed.\n")
    assert counting.run("store", "set", "level", "8", "--expected", "7").code == 0
    assert counting.run("store", "get", "level").out == "8\n"


def test_a_dry_run_changes_nothing(counting: Project) -> None:
    out = counting.run("store", "set", "level", "7", "--dry-run").out

    assert out == "Dry run, nothing is changed; without it: level of db is set.\n"
    assert counting.run("store", "list").out.startswith("No values")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["get", "levle"], 2, "There is no value 'levle'. Did you mean level?"),
        (
            ["get", "level", "--pack", "dbb"],
            2,
            "No pack and no plugin file 'dbb' keeps values. Did you mean db?",
        ),
        (["get", "both"], 2, "'both' is in db, other. Say which with --pack NAME."),
        (["set", "new", "1"], 2, "It is not clear whose 'new' is meant. Add --pack with one of: db, other."),
        (["set", "level", "{", "--from-json"], 2, "That is no JSON"),
        (["set", "level", "1", "--expires", "soon"], 2, "soon"),
        (["put", "level", "1"], 2, "There is no `store put`. Write one of: list, get, set, delete."),
        ([], 2, "Write one of: list, get, set, delete."),
    ],
)
def test_what_cannot_be_done_is_said(counting: Project, words: list[str], code: int, said: str) -> None:
    counting.write("plugins/other.py", PLUGIN)
    for pack in ("db", "other"):
        counting.run("store", "set", "both", "1", "--pack", pack)
    counting.run("store", "set", "level", "1", "--pack", "db")
    done = counting.run("store", *words)

    assert (done.code, said in done.err) == (code, True), done.err


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_no_update_is_lost_beside_a_running_program(isolation: str, project: Project, tmp_path: Path) -> None:
    plugins = f"""
        @deco(seconds=0.1, max_alert=0, isolation={isolation!r})
        def beat(ctx):
            ctx.store.update("n", lambda n: n + 1, 0)
            ctx.store.update("beats", lambda n: n + 1, 0)


        @deco(days=1)
        def add(ctx):
            ctx.store.update("n", lambda n: n + 1, 0)
    """
    with running(tmp_path / "program", plugins) as program:
        program.wait_until(lambda: len(program.history("beat")) > 1, "it beats")

        def add(_: int) -> int:
            command = [sys.executable, "-m", "slack_alert", "--path", str(program.folder), "trigger", "add"]
            return subprocess.run(command, capture_output=True, check=False).returncode

        with ThreadPoolExecutor(3) as pool:
            assert [*pool.map(add, range(6))] == [0] * 6
        where = ("--path", str(program.folder))
        project.run(*where, "pause", "beat")
        program.wait_until(lambda: Verdict.PAUSED in program.verdicts("beat"), "it rests")
        n, beats = (int(project.run(*where, "store", "get", key).out) for key in ("n", "beats"))

    assert n == beats + 6
