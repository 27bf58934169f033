from __future__ import annotations

import pytest

from tests.fakes.program import running
from tests.fakes.project import Project

RULES = """
    @deco(on="backup.done", where={"size": ">= 10"})
    def large(size, ctx):
        return f"{size} GB, {dict(ctx.event)}"

    @deco(on="disk.*")
    def disk():
        return "disk"
"""


@pytest.mark.slow
def test_what_is_noticed_is_answered_at_once_or_where_nobody_runs_at_the_start(project: Project) -> None:
    project.write("plugins/jobs.py", RULES)

    done = project.run("emit", "backup.done", "size=12", "note=a b", "ok=true")

    assert (done.code, done.out) == (0, "backup.done: jobs.large will answer.\n")
    assert done.err == "slack-alert is not running: it is answered when it starts.\n"
    # Another request, carried out meanwhile, must not take it away.
    assert project.run("pause", "db.lag").code == 0
    with running(project.path, RULES) as program:
        program.wait_until(lambda: "12 GB, {'size': 12, 'note': 'a b', 'ok': True}" in program.out, "the answer")
        done = project.run("emit", "disk.full")
        assert (done.code, done.out, done.err) == (0, "disk.full: jobs.disk will answer.\n", "")
        program.wait_until(lambda: "  disk\n" in program.out, "the answer")
    assert [line["verdict"] for line in project.run("history", "jobs.large", "--json").json_lines] == ["said"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("backup.don",), "backup.don: no job waits for it. Did you mean backup.done?"),
        (("wine",), "wine: no job waits for it. Waited for: backup.done, disk.*."),
        (("backup.done", "size=9"), "backup.done: its fields meet no job's criteria (2 jobs with `on`)."),
        (("backup.done", "size=1e999"), "backup.done: its fields meet no job's criteria (2 jobs with `on`)."),
        (("backup.done", "size=1_000"), "backup.done: its fields meet no job's criteria (2 jobs with `on`)."),
        (
            ("backup.done", "size=" + "[" * 100_000),
            "backup.done: its fields meet no job's criteria (2 jobs with `on`).",
        ),
        (("backup.done", 'size="12"'), "backup.done: its fields meet no job's criteria (2 jobs with `on`)."),
    ],
)
def test_it_says_when_nobody_waits_for_it(project: Project, words: tuple[str, ...], said: str) -> None:
    project.write("plugins/jobs.py", RULES)

    done = project.run("emit", *words)

    # That it is answered at the next start would not be so.
    assert (done.out, done.err) == (said + "\n", "")


@pytest.mark.parametrize("number", ["12", "12.5", "-1e3", "  12", ".5", "-.5"])
def test_what_is_written_as_a_number_is_one(project: Project, number: str) -> None:
    project.write("plugins/jobs.py", "@deco(on='done', where={'n': ['> 0', '< 0']})\ndef f(): pass\n")

    assert project.run("emit", "done", f"n={number}").out == "done: jobs.f will answer.\n"


@pytest.mark.parametrize("words", [("a=b",), (" ",), ("backup.done", "size"), ("backup.done", "=3")])
def test_what_is_no_event_is_refused_and_leaves_nothing(project: Project, words: tuple[str, ...]) -> None:
    done = project.run("emit", *words)

    assert (done.code, done.out) == (2, "")
    assert "emit backup.done size=12" in done.err or "FIELD=VALUE" in done.err


def test_rules_are_listed_with_what_they_wait_for(project: Project) -> None:
    project.write("plugins/jobs.py", RULES)

    lines = project.run("jobs").lines

    assert [line.split()[:6] for line in lines if line.startswith("jobs.")] == [
        ["jobs.large", "on", "backup.done", "when", "it", "comes"],
        ["jobs.disk", "on", "disk.*", "when", "it", "comes"],
    ]
