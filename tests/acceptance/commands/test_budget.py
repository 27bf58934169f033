from __future__ import annotations

import json

import pytest

from tests.fakes.project import Project

pytestmark = pytest.mark.slow

ONE = """
    @deco(cron="0 9 * * mon")
    def weekly():
        return 1
"""
MANY = "".join(f'@deco(cron="0 9 * * mon", to="#dev")\ndef job{number}():\n    return 1\n\n' for number in range(70))
CONF = "[slack]\nchannel = #ops\ntimezone = UTC\n"


@pytest.fixture
def plan(project: Project) -> Project:
    project.write("plugins/db.py", ONE)
    project.write("slack_alert.conf", CONF)
    return project


def test_a_plan_that_fits_passes(plan: Project) -> None:
    done = plan.run("check", "--budget")

    assert done.code == 0
    assert done.lines[-1].startswith("Worst minute of #ops: 1 message from ")
    assert done.lines[-1].endswith(" 09:00:00; 63 can be said.")


def test_one_that_does_not_fails_and_says_where_when_and_who(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)

    done = plan.run("check", "--budget")
    (over,) = [line for line in done.lines if line.startswith("#dev: ")]

    assert done.code == 1
    assert over.startswith("#dev: 70 messages in the minute from ")
    assert "09:00:00, and 63 can be said: many.job0 1, many.job1 1, " in over
    assert ", 65 more jobs 65. Let them run at other minutes" in over


def test_what_can_be_said_is_what_is_configured(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)
    plan.write("slack_alert.conf", f"{CONF}messages_per_second = 2\n")

    assert plan.run("check", "--budget").code == 0


def test_unpaced_there_is_no_limit(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)
    plan.write("slack_alert.conf", f"{CONF}messages_per_second = 0\n")

    done = plan.run("check", "--budget")

    assert done.code == 0
    assert any(
        line.startswith("Worst minute of #dev: 70 ") and line.endswith("; any number can be said.")
        for line in done.lines
    )


def test_programs_get_it_in_the_one_document(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)

    done = plan.run("check", "--budget", "--json")
    dev, ops = done.json["budget"]

    assert done.code == 1
    assert (dev["to"], dev["messages"], dev["allowed"], dev["at"][10:]) == ("#dev", 70, 63, "T09:00:00+00:00")
    assert dev["jobs"]["many.job3"] == 1
    assert (ops["to"], ops["jobs"]) == ("#ops", {"db.weekly": 1})


def test_without_budget_nothing_is_weighed(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)

    assert plan.run("check").code == 0
    assert "budget" not in json.loads(plan.run("check", "--json").out)


def test_simulate_ends_with_the_worst_minute_of_each_channel(plan: Project) -> None:
    plan.write("plugins/many.py", MANY)

    done = plan.run("simulate", "--since", "2026-11-23T08:00", "--until", "2026-11-23T10:00")

    blank, dev, ops = done.lines[-3:]
    assert blank == ""
    assert dev.startswith(
        "Worst minute of #dev: 70 messages from 2026-11-23 09:00:00; 63 can be said, the rest would be counted in one "
        "message: many.job0 1, many.job1 1, "
    )
    assert ops == "Worst minute of #ops: 1 message from 2026-11-23 09:00:00; 63 can be said."


def test_where_nothing_is_said_there_is_no_worst_minute(plan: Project) -> None:
    words = ("--since", "2026-11-24T08:00", "--until", "2026-11-24T10:00")

    assert "Worst" not in plan.run("simulate", *words).out
    assert plan.run("simulate", *words, "--json").out == ""
