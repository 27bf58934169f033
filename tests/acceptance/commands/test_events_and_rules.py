from __future__ import annotations

import json

import pytest

from tests.fakes.program import running
from tests.fakes.project import Project

RULES = """
    @deco(on="changed", where={"path": {"endswith": ".conf"}, "size": {"greaterthan": 10}},
          params={"target": "{event.path}"})
    def big(target):
        return f"{target} is big"

    @deco(on="changed", otherwise=True)
    def rest(ctx):
        return f"rest {ctx.event['path']}"
"""
EVENT = {"name": "changed", "fields": {"path": "/etc/a.conf", "size": 3}}


def test_rules_are_listed_with_their_criteria(project: Project) -> None:
    project.write("plugins/files.py", RULES)

    done = project.run("rules")

    assert done.out.splitlines()[1:] == [
        'files.big   changed  path endswith ".conf", size greaterthan 10',
        "files.rest  changed  otherwise",
    ]
    assert json.loads(project.run("rules", "--json").out)["rules"][1]["options"] == {"otherwise": True}


def test_an_event_is_judged_criterion_by_criterion_and_nothing_is_kept(project: Project) -> None:
    project.write("plugins/files.py", RULES)
    project.write("event.json", json.dumps(EVENT))

    done = project.run("rule", "test", str(project.path / "event.json"))
    alone = project.run("rule", "test", str(project.path / "event.json"), "--rule", "big", "--json")

    assert (done.code, done.out.splitlines()) == (
        0,
        [
            "files.big: does not match",
            '  holds  path endswith ".conf": "/etc/a.conf"',
            "  fails  size greaterthan 10: 3",
            "files.rest: matches",
        ],
    )
    assert alone.code == 1
    assert [each["holds"] for each in json.loads(alone.out)["rules"][0]["criteria"]] == [True, False]
    assert not (project.path / ".slack_alert" / "state.db").exists()


@pytest.mark.parametrize(
    ("text", "said"), [("{", "This is no JSON"), ("[]", "This is no record"), ('{"a": 1}', "The event has no name")]
)
def test_what_is_no_event_is_refused(project: Project, text: str, said: str) -> None:
    project.write("plugins/files.py", RULES)
    project.write("event.json", text)

    done = project.run("rule", "test", str(project.path / "event.json"))

    assert (done.code, done.err.startswith(f"slack-alert: {said}")) == (2, True)


@pytest.mark.slow
def test_an_event_is_told_from_its_rules_to_its_messages(project: Project) -> None:
    with running(project.path, RULES) as program:
        project.run("emit", "changed", "path=/etc/a.conf", "size=12")
        project.run("emit", "changed", "path=/b", "size=1")
        program.wait_until(lambda: "rest /b" in program.out, "the answers")
        program.wait_until(lambda: '"waiting": ["' not in project.run("events", "--json").out, "the last commit")
        program.wait_until(lambda: "queued" not in project.run("outbox", "--json").out, "all is sent")

    listed = [json.loads(line) for line in project.run("events", "--json").out.splitlines()]
    told = project.run("explain", "--event", "2").out.splitlines()

    assert [(each["id"], each["state"], each["answers"][0]["job"]) for each in listed] == [
        (1, "answered", "jobs.big"),
        (2, "answered", "jobs.rest"),
    ]
    assert told[1:3] == ['jobs.big did not match: path endswith ".conf", got "/b".', "jobs.rest matched."]
    assert told[3].startswith("  Run 2 of jobs.rest: said “rest /b”")
    assert told[4] == "  Its message 2 to console: is sent."
    assert project.run("explain", "--event", "3").err.startswith("slack-alert: There is no event 3.")
