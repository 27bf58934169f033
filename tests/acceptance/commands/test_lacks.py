"""What a machine lacks is named by the commands that meet it."""

from __future__ import annotations

import sys

import pytest

from tests.fakes.project import Project

PIP = f"`{sys.executable} -m pip install "


def test_a_command_that_meets_it_says_so_and_doctor_says_the_rest(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise ModuleNotFoundError("No module named '_sqlite3'", name="_sqlite3")

    monkeypatch.setattr("slack_alert.bootstrap.database.SqliteReader", refuse)

    history, doctor = project.run("history"), project.run("doctor")

    assert (history.code, "Traceback" in history.err) == (1, False)
    assert "slack-alert: This Python was built without sqlite3: take the system's Python" in history.err
    assert doctor.code == 1
    assert "This Python was built without sqlite3" in doctor.out
    assert "timezone" in doctor.out


def test_a_plugin_whose_module_is_not_installed_is_told_how_to_get_it(project: Project) -> None:
    project.write("plugins/cfg.py", "import no_such_yaml\n\n@deco(minutes=1)\ndef x(): pass\n")

    done = project.run("check", "--load")

    assert f"{PIP}no_such_yaml`, or correct the line; the other files run meanwhile." in done.out
