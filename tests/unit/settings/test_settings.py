from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.settings import KEYS, Key, Secret
from tests.fakes.machine import USER_CONF, Machine

SAMPLE = """\
[slack]
token = xoxb-...            # your token
channel = test  # where to
username = slack-alert
icon_url = ''
icon_emoji = ':fire:'
working_hours = 9:30-19:00
max_alert = 3
pause_time = 60
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "cwd").mkdir()
    return Machine(tmp_path / "cwd", tmp_path / "home")


def test_the_original_sample_file_reads_as_meant(machine: Machine) -> None:
    machine.write("slack_alert.conf", SAMPLE)

    settings = machine.load().settings

    assert settings.token == Secret("xoxb-...")
    assert (settings.channel, settings.username) == ("test", "slack-alert")
    assert (settings.icon_url, settings.icon_emoji) == (None, ":fire:")
    assert (settings.max_alert, settings.pause_time) == (3, timedelta(minutes=60))
    berlin = ZoneInfo("Europe/Berlin")
    assert settings.working_hours.contains(datetime(2026, 11, 21, 9, 30, tzinfo=berlin))
    assert not settings.working_hours.contains(datetime(2026, 11, 21, 19, 0, tzinfo=berlin))


def test_the_strongest_source_wins(machine: Machine) -> None:
    machine.write(USER_CONF, "[slack]\ntoken = own\nchannel = own\nusername = own\nerrors_to = own\nburst = 9\n")
    machine.write(
        "slack_alert.conf", "[slack]\ntoken = project\nchannel = project\nusername = project\nerrors_to = p\n"
    )
    slack = {"SLACK_BOT_TOKEN": "bot", "SLACK_APP_TOKEN": "app", "SLACK_SIGNING_SECRET": "sign"}
    ours = {"SLACK_ALERT_CHANNEL": "environment", "SLACK_ALERT_USERNAME": "environment"}

    loaded = machine.load(slack | ours, channel="flag")

    settings = loaded.settings
    assert (settings.channel, settings.username, settings.errors_to, settings.burst) == ("flag", "environment", "p", 9)
    assert settings.token == Secret("bot")
    assert (settings.app_token, settings.signing_secret) == (Secret("app"), Secret("sign"))
    assert loaded.origins == {
        "token": "SLACK_BOT_TOKEN",
        "app_token": "SLACK_APP_TOKEN",
        "signing_secret": "SLACK_SIGNING_SECRET",
        "channel": "--channel",
        "errors_to": "slack_alert.conf:5",
        "username": "SLACK_ALERT_USERNAME",
        "burst": f"{machine.home / '.config/slack_alert.conf'}:6".replace(str(machine.home), "~"),
    }


def test_slacks_own_variable_is_weaker_than_ours(machine: Machine) -> None:
    loaded = machine.load({"SLACK_BOT_TOKEN": "xoxb-weak", "SLACK_ALERT_TOKEN": "xoxb-strong"})

    assert loaded.settings.token == Secret("xoxb-strong")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_has_a_variable(key: Key, machine: Machine) -> None:
    text = str(machine.write("company.pem", "x")) if key.kind == "file" else key.example or key.default

    loaded = machine.load({f"SLACK_ALERT_{key.name.upper()}": text})

    assert loaded.origins == {key.name: f"SLACK_ALERT_{key.name.upper()}"}


def test_an_unknown_variable_is_a_warning_that_shows_no_value(machine: Machine) -> None:
    kubernetes = {"SLACK_ALERT_PORT": "tcp://10.0.0.1:80", "SLACK_ALERT_SERVICE_HOST": "10.0.0.1"}
    loaded = machine.load({**kubernetes, "SLACK_ALERT_CHANEL": "#ops", "SLACK_ALERTS": "x"})

    assert loaded.settings == machine.load().settings
    assert loaded.warnings == (
        "SLACK_ALERT_CHANEL: not a setting, passed over. Did you mean SLACK_ALERT_CHANNEL?",
        "SLACK_ALERT_PORT: not a setting, passed over.",
        "SLACK_ALERT_SERVICE_HOST: not a setting, passed over.",
    )


def test_an_empty_variable_counts_as_not_there(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\nchannel = project\n")

    assert machine.load({"SLACK_ALERT_CHANNEL": "", "SLACK_ALERT_MAX_ALERT": " "}).settings.channel == "project"


def test_an_empty_value_in_a_stronger_file_unsets(machine: Machine) -> None:
    machine.write(USER_CONF, "[slack]\nicon_url = https://example.com/a.png\n")
    machine.write("slack_alert.conf", "[slack]\nicon_url = ''\n")

    assert machine.load().settings.icon_url is None


def test_an_explicit_file_takes_the_place_of_both(machine: Machine) -> None:
    machine.write(USER_CONF, "[slack]\nburst = 7\n")
    machine.write("slack_alert.conf", "[slack]\nchannel = project\n")
    machine.write("other.conf", "[slack]\nusername = other\npath = bot\n")

    settings = machine.load(config="other.conf").settings

    assert (settings.username, settings.channel, settings.burst) == ("other", None, 3)
    assert settings.path == machine.cwd / "bot"


def test_ignoring_the_global_config_skips_the_users_file_only(machine: Machine) -> None:
    machine.write(USER_CONF, "[slack]\nburst = 7\n")
    machine.write("slack_alert.conf", "[slack]\nchannel = project\n")
    machine.write("other.conf", "[slack]\nchannel = other\n")

    skipped = machine.load(ignore_global_config=True).settings
    explicit = machine.load(ignore_global_config=True, config="other.conf").settings

    assert (skipped.channel, skipped.burst) == ("project", 3)
    assert explicit.channel == "other"


def test_a_missing_explicit_file_is_an_error(machine: Machine) -> None:
    assert str(machine.fault(config="no.conf")) == "--config: There is no file 'no.conf'. Check the path after -c."
    assert machine.fault(config="x" * 300).where == "--config"


@pytest.mark.parametrize(
    ("environ", "posix", "place"),
    [
        ({}, True, ".config/slack_alert.conf"),
        ({"XDG_CONFIG_HOME": "relative"}, True, ".config/slack_alert.conf"),
        ({"XDG_CONFIG_HOME": "HOME/xdg"}, True, "xdg/slack_alert.conf"),
        ({}, False, ".slack_alert.conf"),
    ],
)
def test_the_users_file_is_where_the_system_keeps_such_files(
    environ: dict[str, str], posix: bool, place: str, machine: Machine
) -> None:
    machine.write(f"../home/{place}", "[slack]\nburst = 7\n")
    environ = {name: value.replace("HOME", str(machine.home)) for name, value in environ.items()}

    assert machine.load(environ, posix=posix).settings.burst == 7


@pytest.mark.parametrize("source", ["flag", "environment", "user"])
def test_path_says_where_the_project_file_is(source: str, machine: Machine) -> None:
    machine.write("bot/slack_alert.conf", "[slack]\nchannel = bot\n")
    machine.write(USER_CONF, "[slack]\npath = bot\n" if source == "user" else "[slack]\npath = elsewhere\n")

    environ = {"SLACK_ALERT_PATH": "bot"} if source == "environment" else {}
    loaded = machine.load(environ, path=Path("bot") if source == "flag" else None)

    assert (loaded.settings.path, loaded.settings.channel) == (machine.cwd / "bot", "bot")
    assert loaded.origins["channel"] == "bot/slack_alert.conf:2"


def test_the_project_file_cannot_move_path(machine: Machine) -> None:
    machine.write("slack_alert.conf", "[slack]\npath = bot\n")

    error = machine.fault()

    assert error.where == "slack_alert.conf:2"
    assert str(error) == (
        "slack_alert.conf:2: path = bot: the file was found through path, so it cannot change it. "
        "Pass --path, set SLACK_ALERT_PATH, or write path into your own slack_alert.conf."
    )


def test_the_project_file_may_name_its_own_folder(machine: Machine) -> None:
    machine.write("bot/slack_alert.conf", "[slack]\npath = .\n")

    assert machine.load(path="bot").settings.path == machine.cwd / "bot"


def test_a_home_folder_is_written_with_a_tilde(machine: Machine) -> None:
    machine.write("../home/bot/slack_alert.conf", "[slack]\nchannel = bot\n")

    loaded = machine.load(path="~/bot")

    assert loaded.settings.path == machine.home / "bot"
    assert loaded.origins["channel"] == "~/bot/slack_alert.conf:2"


def test_a_file_that_is_neither_here_nor_at_home_is_called_by_its_whole_path(machine: Machine) -> None:
    file = machine.write("../elsewhere/slack_alert.conf", "[slack]\nchannel = bot\n")

    assert machine.load(path="../elsewhere").origins["channel"] == f"{file.resolve()}:2"


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///.slack_alert/state.db", "cwd/bot/.slack_alert/state.db"),
        ("sqlite:///../state.db", "cwd/state.db"),
        ("sqlite:///~/state.db", "home/state.db"),
        ("sqlite:////ROOT/state.db", "state.db"),
    ],
)
def test_the_database_is_below_path(text: str, file: str, machine: Machine) -> None:
    root = machine.cwd.parent
    settings = machine.load(path="bot", database=text.replace("/ROOT", str(root))).settings

    assert settings.database == f"sqlite:///{root / file}"


def test_a_servers_database_is_below_no_path(machine: Machine) -> None:
    assert machine.load(database="postgresql://host/name").settings.database == "postgresql://host/name"


def _release(machine: Machine, number: int) -> Path:
    return machine.write(f"../releases/{number}/slack_alert.conf", f"[slack]\nburst = {number}\n").parent


@pytest.mark.parametrize(
    ("written", "cwd", "pwd", "located"),
    [
        ("ROOT/current", "cwd", "", "current"),
        ("current", ".", "", "current"),
        ("./current/", ".", "", "current"),
        ("~/current", "cwd", "", "home/current"),
        # A shell that went there through the link says so, as `pwd` does.
        (None, "releases/1", "current", "current"),
        (".", "releases/1", "current", "current"),
        # What it says counts where it is true only.
        (".", "releases/1", "cwd", "releases/1"),
        (".", "releases/1", "nowhere", "releases/1"),
        (".", "releases/1", "cwd/../current", "releases/1"),
        (".", "releases/1", "", "releases/1"),
        # `..` is what it leads to now.
        ("current/../1", ".", "", "releases/1"),
    ],
)
def test_path_keeps_the_links_by_which_it_was_found(
    written: str | None, cwd: str, pwd: str, located: str, machine: Machine
) -> None:
    root = machine.cwd.parent
    _release(machine, 1)
    machine.home.mkdir(exist_ok=True)
    for place in (root, machine.home):
        (place / "current").symlink_to(root / "releases" / "1")
    environ = {"PWD": f"{root}/{pwd}"} if pwd else {}
    started = Machine(root / cwd, machine.home)
    settings = started.load(environ, path=written and written.replace("ROOT", str(root))).settings

    assert settings.path == root / located
    assert settings.burst == 1


def test_project_file_is_named_as_from_the_folder_one_is_in(machine: Machine) -> None:
    root = machine.cwd.parent
    release = _release(machine, 1)
    (root / "current").symlink_to(release)
    loaded = Machine(release, machine.home).load({"PWD": f"{root}/current"})

    assert loaded.origins["burst"] == "slack_alert.conf:2"
