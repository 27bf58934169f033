from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slack_alert.settings import render_conf
from tests.fakes.project import Project


def test_an_example_and_the_configuration_are_written(project: Project, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"

    done = project.run("init", "--path", str(fresh))

    assert (done.code, done.lines[:2]) == (
        0, [f"written  {fresh / 'plugins/example.py'}", f"written  {fresh / 'slack_alert.conf'}"],
    )  # fmt: skip
    assert f"Next: `slack-alert --path {fresh}`" in done.out
    assert (fresh / "slack_alert.conf").read_text(encoding="utf-8") == render_conf()
    assert (fresh / "slack_alert.conf").stat().st_mode & 0o077 == 0


def test_the_example_has_jobs_and_no_problems(project: Project) -> None:
    project.write("plugins/db.py", "")
    project.run("init")

    document = project.run("check", "--load", "--json").json

    assert document["problems"] == []
    assert [job["name"] for job in document["jobs"]] == ["example.hello", "example.disk", "example.morning"]


def test_what_is_there_already_is_kept(project: Project) -> None:
    project.write("plugins/example.py", "mine = 1\n")
    project.write("slack_alert.conf", "[slack]\nmax_alert = 7\n")

    done = project.run("init")

    assert done.lines[:2] == ["kept     plugins/example.py", "kept     slack_alert.conf"]
    assert (project.path / "plugins/example.py").read_text() == "mine = 1\n"
    assert (project.path / "slack_alert.conf").read_text() == "[slack]\nmax_alert = 7\n"


def test_a_place_that_cannot_be_written_is_exit_code_2(project: Project) -> None:
    project.write("file", "")

    done = project.run("init", "--path", "file")

    assert (done.code, done.out) == (2, "")
    assert "file/plugins/example.py cannot be written" in done.err


@pytest.mark.slow
def test_a_linter_has_nothing_to_say_about_the_example(project: Project) -> None:
    linter = Path(sys.executable).with_name("ruff")
    if not linter.exists():
        assert shutil.which("ruff") is None, "ruff is installed elsewhere: run the tests from its environment"
        return
    project.run("init")

    ended = subprocess.run(
        [linter, "check", "--isolated", "--no-cache", "plugins/example.py"], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "All checks passed!\n")


def test_the_manifest_is_what_slack_takes(project: Project) -> None:
    done = project.run("manifest")

    scopes = json.loads(done.out)["oauth_config"]["scopes"]["bot"]
    assert done.code == 0
    assert {"chat:write", "files:write", "channels:read"} <= set(scopes)
