"""Rules, sensors and what does not load, because a person asks."""

from __future__ import annotations

import pytest

from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.project import Project

PLUGIN = """
    import datetime


    @deco(on="disk.full", where={"percent": ">= 95"})
    def told(percent: int, host="db1", *, free):
        return f"{host} is {percent + 1} with {free!r}"


    @deco(on="disk.full")
    def all_of_it(ctx):
        return f"{dict(ctx.event)}"


    @deco(command="deploy")
    def deploy(app, env="staging"):
        return f"{app} is on {env}"


    @deco(minutes=5, emits="disk.full")
    def watch():
        return [{"percent": 97, "at": datetime.date(2026, 3, 2)}, None, {"percent": 98}]


    @deco(minutes=5, emits="disk.seen")
    async def look():
        yield 1
        yield ""
        yield 2


    @deco(minutes=5, emits="disk.seen")
    def nothing():
        return None


    @deco(minutes=5, emits="disk.seen")
    def fails():
        yield 1
        raise ValueError("no")
"""


@pytest.fixture(autouse=True)
def _plugin(project: Project) -> None:
    project.write("plugins/db.py", PLUGIN)


def noticed(project: Project, *words: str) -> list[tuple[object, object]]:
    """Trigger beside a running program; return the events that are left for it: name and fields."""
    with project.owned():
        project.run("trigger", *words)
    left = SqliteInbox(inbox_path(project.database)).peek()
    return [(each.payload["name"], each.payload["fields"]) for each in left if each.kind == "emit"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("told --event percent=97 --event free=1.5", "db1 is 98 with 1.5"),
        ("told --event percent=97 --event free=x=y --event host=a", "a is 98 with 'x=y'"),
        ("told --event percent=97 --event free=null --event other=1", "db1 is 98 with None"),
        ("all_of_it --event percent=97 --event name=", "{'percent': 97, 'name': ''}"),
        ("all_of_it", "{}"),
        ("deploy --event app=shop", "shop is on staging"),
        ("deploy --event app=shop --event env=prod", "shop is on prod"),
    ],
)
def test_a_rule_is_called_with_the_fields_it_is_given(words: str, said: str, project: Project) -> None:
    done = project.run("trigger", *words.split())

    assert (done.code, done.out) == (0, f"{said}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("told", "db.told needs the fields percent and free. Write `slack-alert trigger db.told --event percent=..."),
        (
            "told --event percent=1",
            "db.told needs the field free. Write `slack-alert trigger db.told --event free=...`.",
        ),
        ("deploy", "db.deploy needs the field app. Write `slack-alert trigger db.deploy --event app=...`."),
        ("told --event percent", "'percent' is no field. Write each as FIELD=VALUE: size=12."),
        ("told --event =1", "'=1' is no field."),
    ],
)
def test_a_missing_field_is_named_and_nothing_runs(words: str, said: str, project: Project) -> None:
    done = project.run("trigger", *words.split())

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert project.run("history", "--json").lines == []


def test_what_a_sensor_notices_is_emitted_and_printed(project: Project) -> None:
    assert noticed(project, "watch") == [
        ("disk.full", {"percent": 97, "at": "2026-03-02"}),
        ("disk.full", {"percent": 98}),
    ]
    assert noticed(project, "look")[2:] == [("disk.seen", {"value": 1}), ("disk.seen", {"value": 2})]

    done = project.run("trigger", "watch")
    assert done.lines == ['disk.full {"percent": 97, "at": "2026-03-02"}', 'disk.full {"percent": 98}']
    assert "slack-alert is not running: it is answered when it starts." in done.err
    assert project.run("trigger", "look", "--json").json["events"] == [
        {"name": "disk.seen", "fields": {"value": 1}}, {"name": "disk.seen", "fields": {"value": 2}},
    ]  # fmt: skip


def test_a_sensor_that_notices_nothing_emits_nothing(project: Project) -> None:
    done = project.run("trigger", "nothing")

    assert (done.code, done.out, done.err) == (0, "done\n", "")
    assert noticed(project, "nothing") == []


def test_what_a_sensor_noticed_before_it_failed_is_emitted(project: Project) -> None:
    assert noticed(project, "fails") == [("disk.seen", {"value": 1})]
    assert project.run("trigger", "fails").code == 1


def test_a_sensor_says_nothing_in_its_channel(project: Project) -> None:
    project.run("trigger", "watch", "--post")

    assert project.run("outbox", "--json").lines == []


@pytest.mark.parametrize("name", ["broken", "other.broken"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere\n\n@deco(minutes=5)\ndef broken():\n    return 1\n", "plugins/other.py:1:1: SA103 error: "),
        ("x = 1 / 0\n\n@deco(on='e')\ndef broken():\n    return 1\n", "plugins/other.py:1:1: SA103 error: "),
        ("@deco(minutes=x)\ndef broken():\n    return 1\n", "plugins/other.py:1:1: SA201 error: "),
        ("@deco(minutes=5)\ndef broken(a):\n    return 1\n", "plugins/other.py:1:1: SA207 error: "),
        ("@deco(minutes=5)\ndef broken(\n    return 1\n", "plugins/other.py:2:11: SA101 error: "),
    ],
)
def test_a_function_whose_file_does_not_load_is_told_as_that(
    name: str, source: str, said: str, project: Project
) -> None:
    project.write("plugins/other.py", source)

    done = project.run("trigger", name)

    assert (done.code, done.out) == (1, "")
    assert said in done.err


@pytest.mark.parametrize("command", ["pause", "mute --for 1h", "ack"])
def test_other_commands_say_the_same_of_a_file_that_cannot_be_read(command: str, project: Project) -> None:
    project.write("plugins/other.py", "@deco(minutes=5)\ndef broken(\n    return 1\n")

    done = project.run(*command.split(), "broken")

    assert done.code == 1
    assert "plugins/other.py:2:11: SA101 error: " in done.err


def test_an_option_before_the_command_counts_as_well(project: Project) -> None:
    assert project.run("--event", "app=shop", "trigger", "deploy").out == "shop is on staging\n"


def test_a_word_in_a_file_with_errors_is_no_job(project: Project) -> None:
    project.write("plugins/other.py", "# nobody\n@deco(minutes=x)\ndef broken():\n    return 1\n")

    assert "There is no job 'nobody'." in project.run("trigger", "nobody").err


def test_a_job_that_is_not_there_at_all_says_so(project: Project) -> None:
    done = project.run("trigger", "tolt")

    assert done.code == 2
    assert "There is no job 'tolt'. Did you mean told" in done.err


@pytest.mark.parametrize("words", [("trigger", "leak"), ("trigger", "leak", "--json")])
def test_no_secret_of_an_event_is_printed(words: tuple[str, ...], project: Project) -> None:
    project.write("slack_alert.conf", "[slack]\nheartbeat_url = https://hc.example/s3cr3t-check\n")
    project.write(
        "plugins/leak.py", "@deco(days=1, emits='e')\ndef leak():\n    return 'https://hc.example/s3cr3t-check'\n"
    )

    done = project.run(*words)

    assert "[secret]" in done.out
    assert "s3cr3t" not in done.out + done.err
