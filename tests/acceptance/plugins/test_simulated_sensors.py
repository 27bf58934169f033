"""What a sensor returns is an event and no message, where time is made up as well."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

PLUGIN = """
    @deco(minutes=1, emits="disk.full")
    def watch():
        return {"percent": 97}


    @deco(minutes=10, emits="disk.seen")
    async def look():
        yield 1


    @deco(on="disk.full")
    def told(value=None):
        return "told"
"""
SPAN = ("simulate", "--since", "2026-03-02T09:00", "--until", "2026-03-02T09:06")


@pytest.fixture(autouse=True)
def _plugin(project: Project) -> None:
    project.write("plugins/db.py", PLUGIN)


def verdicts(project: Project, job: str, *words: str) -> set[tuple[str, object]]:
    lines = project.run(*SPAN, *words, "--json").json_lines
    return {(line["verdict"], line["paused_until"]) for line in lines if line["job"] == job}


def test_a_simulated_sensor_neither_speaks_nor_pauses(project: Project) -> None:
    assert verdicts(project, "db.watch") == {("quiet", None)}


def test_a_sensor_that_is_to_fail_does(project: Project) -> None:
    assert ("error", None) in verdicts(project, "db.watch", "--outcome", "watch=error")


def test_what_a_sensor_is_said_to_notice_is_answered(project: Project) -> None:
    words = ("--outcome", "watch=alert", "--max-alert", "0")
    assert verdicts(project, "db.watch", *words) == {("quiet", None)}
    assert verdicts(project, "db.told", *words) == {("said", None)}
    assert verdicts(project, "db.told") == set()


def test_an_executed_sensor_speaks_through_who_answers(project: Project) -> None:
    assert verdicts(project, "db.watch", "--execute", "--max-alert", "0") == {("quiet", None)}
    assert verdicts(project, "db.told", "--execute", "--max-alert", "0") == {("said", None)}


@pytest.mark.parametrize("every", ["minutes=1", "seconds=0.1"])
def test_a_sensor_has_no_part_in_the_worst_minute(every: str, project: Project) -> None:
    project.write("plugins/db.py", f"@deco({every}, emits='disk.full', max_alert=0)\ndef watch():\n    return 1\n")

    done = project.run("check", "--budget", "--json")

    assert (done.code, done.json["budget"]) == (0, [])
