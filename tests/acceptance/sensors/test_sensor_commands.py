"""What the commands say of sensors that run for ever, without a program that runs."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project

pytestmark = pytest.mark.slow

PLUGIN = """
    @deco(emits=["seen", "gone"])
    def watch():
        yield "seen", {"n": 1}


    @deco(minutes=1, emits="polled")
    def poll():
        return []
"""


@pytest.fixture(autouse=True)
def written(project: Project) -> None:
    project.write("plugins/db.py", PLUGIN)


def test_sensors_lists_both_kinds(project: Project) -> None:
    found = project.run("sensors", "--json").json["sensors"]

    assert [(each["name"], each["kind"], each["emits"], each["state"], each["pid"]) for each in found] == [
        ("db.watch", "passive", "seen, gone", "not_running", None),
        ("db.poll", "polling", "polled", "active", None),
    ]
    assert [line.split()[0] for line in project.run("sensors").lines] == ["SENSOR", "db.watch", "db.poll"]


def test_jobs_check_and_explain_know_what_runs_for_ever(project: Project) -> None:
    (watch, _) = project.run("jobs", "--json").json["jobs"]

    assert (watch["kind"], watch["trigger"], watch["next_run"]) == ("sensor", "runs for ever", None)
    assert "always" in project.run("jobs").out
    assert "2 sensors, no problems." in project.run("check").out
    assert "db.watch runs for ever, in a process of its own" in project.run("explain", "watch").out


@pytest.mark.parametrize("words", [("trigger", "watch"), ("simulate", "--outcome", "watch=alert")])
def test_what_needs_a_run_with_an_end_is_refused(project: Project, words: tuple[str, ...]) -> None:
    done = project.run(*words)

    assert done.code != 0
    assert "runs for ever" in done.err


def test_no_sensors_are_told_as_that(project: Project) -> None:
    project.write("plugins/db.py", "@deco(minutes=1)\ndef lag():\n    return 1\n")

    assert project.run("sensors").out == "No sensors: a function with `emits` is one.\n"
