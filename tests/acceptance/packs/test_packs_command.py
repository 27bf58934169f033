from __future__ import annotations

import pytest

from tests.fakes.packs import FUNCTION, write_pack
from tests.fakes.project import Project

SECRET = "hunter22hunter22"
TELLING = """
    @deco(minutes=5)
    def tell(ctx):
        print("printed", ctx.config["token"])
        ctx.log.warning("logged %s", ctx.config["token"])
        return f"said {ctx.config['token']} {ctx.config!r} {type(ctx.config['token']).__name__}"

    @deco(minutes=5)
    def fail(ctx):
        raise RuntimeError(ctx.config["token"])
"""
TOKEN = "[config.token]\ntype = 'secret'\n"


def test_packs_lists_what_is_in_them_and_what_keeps_them_out(project: Project) -> None:
    write_pack(project.path, "good", {"plugin.py": FUNCTION}, 'version = "1.2.0"\ndescription = "Does good."\n')
    write_pack(project.path, "bad", {"plugin.py": FUNCTION}, "[config.key]\nrequired = true\n")

    done = project.run("packs")
    assert done.code == 1
    assert [line.split() for line in done.lines] == [
        ["PACK", "VERSION", "FROM", "FUNCTIONS", "STATE", "DESCRIPTION"],
        ["bad", "-", "folder", "-", "not", "loaded"],
        ["good", "1.2.0", "folder", "1", "job", "loaded", "Does", "good."],
    ]
    assert done.err == "bad: SA402: the pack bad needs key (str), which is not set. See `slack-alert check`.\n"


def test_packs_as_json(project: Project) -> None:
    write_pack(
        project.path, "good", {"plugin.py": FUNCTION}, "[config.token]\ntype = 'secret'\n[events.e]\na = 'str'\n"
    )
    project.write("slack_alert.conf", f"[pack.good]\ntoken = {SECRET}\n")

    (found,) = project.run("packs", "--json").json["packs"]
    assert found == {
        "name": "good",
        "version": "",
        "description": "",
        "origin": "folder",
        "source": None,
        "folder": "packs/good",
        "is_loaded": True,
        "fault": None,
        "config": {"token": {"type": "secret", "required": False, "is_set": True}},
        "events": ["good.e"],
        "functions": ["good.f"],
        "problems": [],
    }


def test_without_packs_it_says_how_one_is_made(project: Project) -> None:
    done = project.run("packs")

    assert done.code == 0
    assert "slack-alert pack new" in done.out


def test_actions_and_sensors_are_listed(project: Project) -> None:
    content = """
        @deco(seconds=30, emits="changed")
        def watch(): return []

        @deco(on="changed")
        def react(path, ctx, status="x"):
            "React to a change."
    """
    write_pack(project.path, "mypack", {"plugin.py": content})

    listed = project.run("actions", "--pack", "mypack").lines[1:]
    assert [line.split() for line in listed] == [
        ["mypack.watch", "every", "30s", "-"],
        ["mypack.react", "on", "mypack.changed", "path", "status", "React", "to", "a", "change."],
    ]
    (sensor,) = project.run("sensors", "--json").json["sensors"]
    assert (sensor["name"], sensor["emits"]) == ("mypack.watch", "mypack.changed")


@pytest.mark.parametrize("written", [f"token = {SECRET}", "token_file = token.txt"])
@pytest.mark.parametrize("function", ["tell", "fail"])
def test_a_packs_secret_is_nowhere_to_be_seen(project: Project, written: str, function: str) -> None:
    write_pack(project.path, "mypack", {"plugin.py": TELLING}, TOKEN)
    project.write("token.txt", f"{SECRET}\n")
    project.write("slack_alert.conf", f"[pack.mypack]\n{written}\n")

    done = project.run("trigger", f"mypack.{function}", "--json")
    assert done.json["verdict"] == ("said" if function == "tell" else "error")
    assert SECRET not in done.out + done.err
    assert "[secret]" in done.out
    assert SECRET not in project.run("history", "--json").out
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in (project.path / ".slack_alert").glob("*.db*"))


def test_a_variable_sets_a_key_of_a_pack(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "@deco(minutes=5)\ndef f(ctx): return dict(ctx.config)\n"
    write_pack(project.path, "my-pack", {"plugin.py": shown}, "[config.limit_of]\ntype = 'int'\n")
    write_pack(project.path, "my", {"plugin.py": FUNCTION})
    monkeypatch.setenv("SLACK_ALERT_PACK_MY_PACK_LIMIT_OF", "7")

    done = project.run("trigger", "my-pack.f")
    assert (done.code, "limit_of" in done.out, "7" in done.out) == (0, True, True)
    assert "not a setting" not in done.err


def test_an_action_is_run_by_hand_with_its_fields(project: Project) -> None:
    content = """
        @deco(on="changed")
        def react(path, size=0):
            return (size > 0, f"{path} {size + 1}")
    """
    write_pack(project.path, "mypack", {"plugin.py": content})

    done = project.run("trigger", "mypack.react", "path=/etc", "size=2")
    assert (done.code, done.out) == (0, "/etc 3\n")
    failed = project.run("trigger", "mypack.react", "path=/etc")
    assert (failed.code, "ActionFailed: /etc 1" in failed.out) == (1, True)
