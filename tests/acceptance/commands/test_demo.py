from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from slack_alert.cli.setup.demo import PLUGIN
from slack_alert.loader.files.discovery import PACKAGE
from tests.fakes.project import Project

#: The lines that tell the story, in order.
STORY = """\
09:10:00  #ops  18 GB left on /
09:15:00  #ops  ✎ 17 GB left on /
                2 alerts since 09:10, last 09:15
                3 alerts since 09:10, last 09:20
-     if free < 20:
+     if free < 30:
reloaded: disk.disk
                4 alerts since 09:10, last 09:25
                ✓ disk.disk recovered after 20m, 4 alerts
$ slack-alert explain disk --at 09:25
disk.disk was due at 09:25 (every 5m).
$ slack-alert explain disk --at 22:00
It did not run: off hours until Tue 24 Nov 09:00 (its working hours are mon-fri 9:00-18:00).
2026-11-24 17:45:00  disk.disk  said       disk
2026-11-24 18:00:00  disk.disk  off_hours  6 slots, until 2026-11-24 18:25:00
"""


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def timeless(said: str) -> str:
    """Leave out how long the function ran, which is true and no part of the story."""
    return re.sub(r"ran for [\d.]+s", "ran for a moment", said)


def test_the_plugin_has_six_lines() -> None:
    assert len([line for line in PLUGIN.splitlines() if line]) == 6


@pytest.mark.slow
def test_the_story_is_told_the_same_each_time_and_leaves_nothing_behind(project: Project) -> None:
    before = files(project.path.parent)

    first, second = project.run("demo"), project.run("demo", "--fast")

    lines = iter(first.lines)
    assert [line for line in STORY.splitlines() if line not in lines] == []
    assert (first.code, first.err) == (second.code, second.err) == (0, "")
    assert timeless(first.out) == timeless(second.out)
    assert files(project.path.parent) == before
    assert [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")] == []


@pytest.mark.slow
def test_neither_the_environment_nor_a_configuration_has_a_say(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = project.run("demo").out
    project.write("slack_alert.conf", "[slack]\nchannel = #elsewhere\ntimezone = nowhere\n")
    for name, value in {"TOKEN": "xoxb-1", "MAX_ALERT": "none", "TIMEZONE": "Asia/Shanghai"}.items():
        monkeypatch.setenv(f"SLACK_ALERT_{name}", value)

    done = project.run("demo")

    assert (done.code, timeless(done.out)) == (0, timeless(plain))
