from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.machine import USER_CONF, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd").mkdir()
    return Machine(tmp_path / "cwd", tmp_path / "home")


def windows(machine: Machine, **environ: str) -> dict[str, str]:
    return {window.name: window.text for window in machine.load(environ).settings.quiet}


def test_windows_go_by_the_names_people_give_them(machine: Machine) -> None:
    machine.write(
        "slack_alert.conf",
        "[slack]\ntimezone = Asia/Tokyo\n"
        "[quiet]\nsat-night = sat 22:00-06:00  # deploys\nxmas = 2026-12-24..2026-12-26\n",
    )

    quiet = machine.load().settings.quiet

    assert [(window.name, window.text) for window in quiet] == [
        ("sat_night", "sat 22:00-06:00"), ("xmas", "2026-12-24..2026-12-26"),
    ]  # fmt: skip
    assert {window.zone for window in quiet} == {ZoneInfo("Asia/Tokyo")}


def test_without_the_section_nothing_is_quiet(machine: Machine) -> None:
    assert windows(machine) == {}


def test_stronger_source_decides_each_window_for_itself(machine: Machine) -> None:
    machine.write(USER_CONF, "[quiet]\na = sat 1:00-2:00\nb = sat 1:00-2:00\nc = sat 1:00-2:00\nd = sat 1:00-2:00\n")
    machine.write("slack_alert.conf", "[quiet]\nb = sun 1:00-2:00\nc = sun 1:00-2:00\nd =\n")

    assert windows(machine, SLACK_ALERT_QUIET_C="mon 1:00-2:00", SLACK_ALERT_QUIET_E_F="mon 3:00-4:00") == {
        "a": "sat 1:00-2:00",
        "b": "sun 1:00-2:00",
        "c": "mon 1:00-2:00",
        "e_f": "mon 3:00-4:00",
    }


def test_variable_of_a_window_is_no_unknown_name(machine: Machine) -> None:
    assert machine.load({"SLACK_ALERT_QUIET_NIGHT": "sat 1:00-2:00", "SLACK_ALERT_TIMEZONE": "UTC"}).warnings == ()


@pytest.mark.parametrize(
    ("conf", "environ", "where", "said"),
    [
        ("[quiet]\n\nnight = sut 1:00-2:00\n", {}, "slack_alert.conf:3", "quiet window night: 'sut 1:00-2:00': 'sut'"),
        (
            "",
            {"SLACK_ALERT_QUIET_NIGHT": "1-2"},
            "SLACK_ALERT_QUIET_NIGHT",
            "quiet window night: '1-2' is not a window",
        ),
        ("[quit]\n", {}, "slack_alert.conf:1", "[quit] is not a section. Did you mean quiet?"),
        ("[quiet]\na = sat 1:00-2:00\nA = sat 1:00-2:00\n", {}, "slack_alert.conf:3", "a is set twice"),
    ],
)
def test_window_that_cannot_be_used_stops_the_start(
    conf: str, environ: dict[str, str], where: str, said: str, machine: Machine
) -> None:
    machine.write("slack_alert.conf", conf)

    fault = machine.fault(environ)

    assert fault.where == where
    assert said in str(fault)
