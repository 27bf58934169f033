from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slack_alert.cli.setup.doctor_checks import shadows
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_workspace import ALL_SCOPES


def checks(project: Project, *words: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in project.run("doctor", "--json", *words).json["checks"]:
        found.setdefault(each["check"], []).append(each)
    return found


def test_a_fresh_project_is_well_but_has_no_token(project: Project) -> None:
    done = project.run("doctor", "--json")

    assert done.code == 0
    assert done.json["ok"] is True
    assert {each["check"]: each["status"] for each in done.json["checks"]} == {
        "python": "ok",
        "libraries": "ok",
        "installation": "ok",
        "plugins": "ok",
        "database": "ok",
        "running": "ok",
        "timezone": "ok",
        "token": "warn",
    }
    assert all(set(each) == {"check", "status", "message", "action"} for each in done.json["checks"])


def test_people_read_what_to_do_below_what_is_wrong(project: Project) -> None:
    project.write("plugins/broken.py", "def x(:\n")

    done = project.run("doctor")

    place = next(index for index, line in enumerate(done.lines) if line.startswith("fail  plugins"))
    assert done.code == 1
    assert done.lines[place].endswith(f"2 jobs in {project.path / 'plugins'}, 1 problem")
    assert done.lines[place + 1].strip() == "-> `slack-alert check` lists them"
    assert done.lines[-1] == "1 failed, 1 warned."


def test_plugins_that_others_may_write_are_warned_of(project: Project) -> None:
    folder = project.path / "plugins"
    folder.chmod(0o777)

    found = checks(project)
    assert [(each["status"], each["message"]) for each in found["permissions"]] == [
        ("warn", "plugins: everybody may write this folder")
    ]
    assert f"chmod go-w {folder}" in found["permissions"][0]["action"]
    assert found["plugins"][0]["status"] == "ok"


def test_a_folder_without_plugins_fails_and_the_rest_is_still_looked_at(project: Project, tmp_path: Path) -> None:
    found = checks(project, "--path", str(tmp_path))

    assert found["plugins"][0]["status"] == "fail"
    assert "slack-alert init" in found["plugins"][0]["action"]
    assert found["timezone"][0]["status"] == "ok"


def test_working_hours_in_a_zone_nobody_chose_are_warned_of(project: Project) -> None:
    (unset,) = checks(project, "--working-hours", "9:00-18:00")["timezone"]
    (chosen,) = checks(project, "--working-hours", "9:00-18:00", "--timezone", "Asia/Shanghai")["timezone"]

    assert (unset["status"], chosen["status"]) == ("warn", "ok")
    assert unset["action"].startswith("set `timezone = Europe/Berlin`")


def test_a_damaged_database_fails(project: Project) -> None:
    project.write(".slack_alert/state.db", "this is no database " * 100)

    (database,) = checks(project)["database"]

    assert database["status"] == "fail"
    assert "not a database" in database["message"]


def test_a_database_below_a_file_fails(project: Project) -> None:
    project.write("state", "a file")

    (database,) = checks(project, "--database", "sqlite:///state/state.db")["database"]

    assert (database["status"], database["message"]) == ("fail", f"{project.path / 'state'} cannot be written")


def test_the_module_of_2015_is_found_wherever_it_lies_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "slack_alert.py").write_text("")

    (finding,) = shadows([str(tmp_path / "other"), str(tmp_path)])

    assert (finding.status, finding.message) == ("fail", f"{tmp_path / 'slack_alert.py'}: the module of 2015")
    assert "pip uninstall slack-alert" in finding.action


def test_the_distribution_of_2015_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "slack_alert-0.1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: Slack_Alert\nVersion: 0.1.2\n")

    (finding,) = shadows([str(tmp_path)])

    assert (finding.status, finding.message) == ("fail", "slack-alert 0.1.2: the package of 2015")


@pytest.mark.slow
def test_with_a_token_slack_is_asked_about_scopes_and_every_channel(project: Project) -> None:
    project.write("plugins/db.py", '@deco(minutes=5, to="#nowhere")\ndef lag():\n    return 1\n')
    with FakeSlack() as slack:
        conf = f"[slack]\ntoken = xoxb-test\nchannel = #general\napi_url = {slack.url}\n"
        project.write("slack_alert.conf", conf)

        done = project.run("doctor", "--json")
        methods = {request.method for request in slack.requests}

    said = [each["message"] for each in done.json["checks"] if each["check"] == "slack"]
    assert done.code == 1
    assert any(message.startswith("token: ") for message in said)
    assert any(message.startswith("#general: ") for message in said)
    assert "#nowhere: Slack says channel_not_found" in said
    assert "auth.test" in methods
    assert "chat.postMessage" not in methods


@pytest.mark.slow
def test_a_token_that_slack_refuses_fails(project: Project) -> None:
    with FakeSlack() as slack:
        conf = f"[slack]\ntoken = xoxb-wrong\nchannel = #general\napi_url = {slack.url}\n"
        project.write("slack_alert.conf", conf)

        (finding,) = checks(project)["slack"]

    assert (finding["status"], finding["message"]) == ("fail", "token: Slack says invalid_auth")


def test_a_token_without_a_channel_fails_without_waiting_for_slack(project: Project) -> None:
    project.write("slack_alert.conf", "[slack]\ntoken = xoxp-1\napi_url = http://127.0.0.1:9/\n")

    found = checks(project)

    assert found["channel"][0]["status"] == "fail"
    assert "slack_alert.conf" in found["channel"][0]["action"]
    assert found["token"][0]["message"] == "this is a user's token"


@pytest.mark.slow
def test_with_a_door_it_looks_at_what_people_need(project: Project) -> None:
    project.write("plugins/ops.py", '@deco(command="deploy")\ndef deploy():\n    return 1\n')
    with FakeSlack(scopes=ALL_SCOPES - {"commands"}) as slack:
        conf = f"""
            [slack]
            token = xoxb-test
            app_token = xapp-wrong
            channel = #ops
            api_url = {slack.url}
            [roles]
            ops = U0GONE
        """
        project.write("slack_alert.conf", conf.replace("\n            ", "\n"))
        found = checks(project)

    chat = [(each["status"], each["message"]) for each in found["chat"]]
    slack_says = {each["message"] for each in found["slack"]}
    assert chat == [("ok", "people come in by Socket Mode"), ("warn", "there are no admins: nobody may deploy")]
    assert "admins = U..." in found["chat"][1]["action"]
    assert {"app_token: Slack says invalid_auth", "roles: Slack knows nobody with the id U0GONE"} <= slack_says
    assert "scope commands is missing: there are no slash commands, such as /slack-alert" in slack_says


def test_without_a_door_nothing_is_said_of_people(project: Project) -> None:
    assert "chat" not in checks(project)
