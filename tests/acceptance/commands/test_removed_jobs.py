"""A job that no plugin has any more is found by its full name, or where nothing that is there is meant."""

from __future__ import annotations

import pytest

from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.engine.batches import Batch
from tests.fakes.project import Project, ago
from tests.fakes.rows import in_turn

COMMANDS = ("history", "explain", "report", "report --json", "history --json", "explain --json")


@pytest.fixture(autouse=True)
def _past(project: Project) -> None:
    """Remember `db.lag`, which is there, two others of that name and one more, which are not."""
    names = ["db.lag", "old.lag", "older.lag", "old.gone", "a.twice", "b.twice"]
    records = [Record(number, name, ago(minutes=9), Verdict.SAID, text=name) for number, name in enumerate(names, 1)]
    states = {name: State(alerts=Quota((ago(minutes=9),))) for name in names}
    project.remember(Batch(records=records, states=states, holds={"old.lag": Pause(None, "ann")}))


@pytest.mark.parametrize(
    ("command", "case"),
    in_turn(
        COMMANDS,
        [("lag", "db.lag"), ("db.lag", "db.lag"), ("old.lag", "old.lag"), ("gone", "old.gone")],
        rounds=2,
    ),
)
def test_the_present_one_is_meant(command: str, case: tuple[str, str], project: Project) -> None:
    said, meant = case
    done = project.run(*command.split(), said)

    assert done.code == 0, done.err
    assert meant in done.out
    assert not {"db.lag", "old.lag", "older.lag", "old.gone"} - {meant} & set(done.out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_several_that_are_gone_are_ambiguous_still(command: str, project: Project) -> None:
    done = project.run(*command.split(), "twice")

    assert done.code == 2
    assert "'twice' is the last part of several jobs. Write one of: a.twice, b.twice." in done.err


def test_several_that_are_there_are_named_without_those_that_are_gone(project: Project) -> None:
    project.write("plugins/web.py", "@deco(minutes=5)\ndef lag():\n    return 1\n")

    done = project.run("history", "lag")

    assert done.code == 2
    assert "Write one of: db.lag, web.lag." in done.err


def test_a_pattern_finds_all(project: Project) -> None:
    lines = project.run("history", "*.lag", "--json").json_lines

    assert {line["job"] for line in lines} == {"db.lag", "old.lag", "older.lag"}
