from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.errors import SettingsError
from slack_alert.core.pack import PackSettings
from slack_alert.core.schedule.working_hours import WorkingHours
from slack_alert.core.structs import asdict
from slack_alert.settings import KEYS, LoadedSettings, Secret, Settings, load_settings


def load(tmp_path: Path, **flags: object) -> LoadedSettings:
    return load_settings(flags, {"TZ": "Europe/Berlin"}, cwd=tmp_path, home=tmp_path / "home", etc=tmp_path)


def fault_of(tmp_path: Path, **flags: object) -> str:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, **flags)
    return str(raised.value)


def is_a(value: object, annotation: Any) -> bool:
    """Return whether a value fits; Any, since an annotation is no type."""
    origin = get_origin(annotation)
    if origin is UnionType:
        return any(is_a(value, part) for part in get_args(annotation))
    if origin is Literal:
        return value in get_args(annotation)
    return isinstance(value, origin or (annotation or NoneType))


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("token", None),
        ("channel", None),
        ("errors_to", None),
        ("username", None),
        ("icon_emoji", None),
        ("icon_url", None),
        ("api_url", None),
        ("max_alert", 3),
        ("pause_time", timedelta(minutes=60)),
        ("while_paused", "skip"),
        ("timeout", None),
        ("isolation", "none"),
        ("memory_limit", None),
        ("cpu_limit", None),
        ("scheduler", "AsyncIOScheduler"),
        ("history_days", 30),
        ("history_rows", 1_000_000),
        ("messages_per_second", 1.0),
        ("burst", 3),
        ("give_up", timedelta(hours=24)),
        ("drain_timeout", timedelta(seconds=8)),
        ("heartbeat_url", None),
        ("proxy", None),
        ("ca_file", None),
        ("markers", ()),
        ("threads", 32),
        ("log_level", "info"),
        ("log_format", "text"),
        ("chat_prefix", ("!",)),
        ("chat_prefixes", {}),
        ("chat_poll", None),
        ("chat_channels", ()),
        ("chat_admins", ()),
        ("chat_may_use", ("members",)),
        ("chat_cli_role", ("admins",)),
        ("chat_rate", 20),
        ("chat_support", None),
        ("chat_tags", "off"),
        ("queues", {}),
        ("permissions", Permissions()),
        ("dry_run", False),
    ],
)
def test_defaults_are_the_documented_ones(name: str, default: object, tmp_path: Path) -> None:
    assert getattr(load(tmp_path).settings, name) == default


def test_working_hours_are_always_by_default_and_where_they_are_empty(tmp_path: Path) -> None:
    zone = load(tmp_path).settings.timezone

    assert load(tmp_path).settings.working_hours == WorkingHours.parse("always", zone)
    assert load(tmp_path, working_hours="").settings.working_hours.is_always


def test_every_default_has_the_type_of_its_field(tmp_path: Path) -> None:
    settings = load(tmp_path).settings
    hints = get_type_hints(Settings, localns={"PackSettings": PackSettings, "Permissions": Permissions})

    assert [name for name in Settings.__struct_fields__ if not is_a(getattr(settings, name), hints[name])] == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("token", "xoxb-1-a", Secret("xoxb-1-a")),
        ("channel", "#ops", "#ops"),
        ("channel", "ops", "ops"),
        ("channel", "C0123", "C0123"),
        ("channel", "@ann", "@ann"),
        ("channel", "slack:#ops", "slack:#ops"),
        ("channel", "console:", "console:"),
        ("channel", "", None),
        ("token_file", "", None),
        ("icon_url", "https://example.com/a.png", "https://example.com/a.png"),
        ("api_url", "http://127.0.0.1:8080/api/", "http://127.0.0.1:8080/api/"),
        ("proxy", "http://user:word@proxy:3128", "http://user:word@proxy:3128"),
        ("max_alert", "0", 0),
        ("max_alert", 7, 7),
        ("pause_time", "5", timedelta(minutes=5)),
        ("pause_time", 5, timedelta(minutes=5)),
        ("pause_time", "90s", timedelta(seconds=90)),
        ("pause_time", "1h30m", timedelta(minutes=90)),
        ("pause_time", "2d", timedelta(days=2)),
        ("timeout", "5", timedelta(seconds=5)),
        ("timeout", "5m", timedelta(minutes=5)),
        ("timeout", "", None),
        ("isolation", "Process", "process"),
        ("memory_limit", "512MB", 512 * 1024 * 1024),
        ("memory_limit", "1.5g", 1536 * 1024 * 1024),
        ("memory_limit", "", None),
        ("cpu_limit", "1m", timedelta(minutes=1)),
        ("give_up", "60", timedelta(minutes=1)),
        ("drain_timeout", "0", timedelta(0)),
        ("while_paused", "mute", "mute"),
        ("messages_per_second", "0", 0.0),
        ("messages_per_second", "0.5", 0.5),
        ("markers", "deco, alert", ("deco", "alert")),
        ("markers", "@deco lib.alert", ("deco", "lib.alert")),
        ("markers", "", ()),
        ("log_level", "DEBUG", "debug"),
        ("log_format", "json", "json"),
        ("scheduler", "AsyncIOScheduler", "AsyncIOScheduler"),
        ("scheduler", "backgroundscheduler", "BackgroundScheduler"),
        ("scheduler", "asyncio", "AsyncIOScheduler"),
        ("scheduler", "background", "BackgroundScheduler"),
        ("scheduler", "Gevent", "GeventScheduler"),
        ("scheduler", "TORNADO", "TornadoScheduler"),
    ],
)
def test_a_value_is_parsed_once_into_its_type(name: str, text: object, value: object, tmp_path: Path) -> None:
    assert getattr(load(tmp_path, **{name: text}).settings, name.removesuffix("_file")) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("max_alert", "three", "--max-alert: 'three' is not a whole number of at least 0."),
        ("max_alert", "-1", "--max-alert: '-1' is not a whole number of at least 0."),
        ("max_alert", "2.5", "--max-alert: '2.5' is not a whole number of at least 0."),
        (
            "max_alert",
            "",
            "--max-alert: the value is empty. Write a value such as 3, or take the line out.",
        ),
        (
            "channel",
            "slak:#x",
            (
                "--channel: 'slak:#x': there is no service 'slak'. Did you mean slack? "
                "Allowed services: slack, console, dingtalk."
            ),
        ),
        (
            "errors_to",
            "a,b",
            (
                "--errors-to: 'a,b' is not one channel. "
                "Write #ops or ops, an id such as C0123, a person as @ann, or console: for the terminal."
            ),
        ),
        ("path", "", "--path: the value is empty. Name the folder that holds plugins/."),
        ("username", "a\tb", "--username: 'a\\tb' has characters that cannot be printed."),
        ("threads", "0", "--threads: '0' is not a whole number from 1 to 1000."),
        ("burst", "0", "--burst: '0' is not a whole number of at least 1."),
        (
            "messages_per_second",
            "nan",
            "--messages-per-second: 'nan' is not a number from 0 to 1000.",
        ),
        (
            "messages_per_second",
            "inf",
            "--messages-per-second: 'inf' is not a number from 0 to 1000.",
        ),
        (
            "messages_per_second",
            "1e-9",
            "--messages-per-second: '1e-9' is too little. Write 0.001 or more, or 0 for no limit.",
        ),
        ("give_up", "0", "--give-up: '0' is too short. Write 1s or more."),
        ("pause_time", "0", "--pause-time: '0' is too short. Write 1s or more."),
        (
            "pause_time",
            "soon",
            ("--pause-time: 'soon' is not a duration. Write a number, or 90s, 5m, 1h30m, 2d, 1w; ten years at most."),
        ),
        ("timeout", "0", "--timeout: '0' is too short. Write 0.001s or more."),
        ("memory_limit", "5MB", "--memory-limit: '5MB' is too little. Write 32MB or more."),
        ("memory_limit", "much", "--memory-limit: 'much' is not a size. Write 512MB or 2GB."),
        (
            "scheduler",
            "Nope",
            (
                "--scheduler: 'Nope' is not known. "
                "Allowed: AsyncIOScheduler, BackgroundScheduler, GeventScheduler, TornadoScheduler."
            ),
        ),
        (
            "log_level",
            "warn",
            ("--log-level: 'warn' is not known. Did you mean warning? Allowed: debug, info, warning, error, critical."),
        ),
        (
            "while_paused",
            "muted",
            "--while-paused: 'muted' is not known. Did you mean mute? Allowed: skip, mute.",
        ),
        (
            "proxy",
            "proxy:3128",
            (
                "--proxy: 'proxy:3128' is not an http:// or https:// address. "
                "Write one such as http://proxy.example.com:3128."
            ),
        ),
        (
            "api_url",
            "https://slack.com:x/",
            (
                "--api-url: 'https://slack.com:x/' is not an http:// or https:// address. "
                "Write one such as https://slack-gov.com/api/."
            ),
        ),
        ("markers", "deco, 1st", "--markers: '1st' cannot be the name of a decorator. Write deco, alert."),
        (
            "timezone",
            "Europe/Belrin",
            "--timezone: 'Europe/Belrin' is not a time zone. Did you mean Europe/Berlin?",
        ),
        ("ca_file", "none.pem", "--ca-file: 'none.pem' is not a file. Check the path, or take the setting out."),
        (
            "database",
            "state.db",
            (
                "--database: 'state.db' is not the URL of a database. "
                "Write sqlite:///FILE (a relative file is below path) or postgresql://HOST/NAME."
            ),
        ),
    ],
)
def test_a_bad_value_is_told_with_place_value_and_what_to_do(name: str, text: str, said: str, tmp_path: Path) -> None:
    assert fault_of(tmp_path, **{name: text}) == said


@pytest.mark.parametrize("hours", ["25:99-26:00", "9:30", "noon-midnight", "9:30-19:00,"])
def test_bad_working_hours_stop_the_start(hours: str, tmp_path: Path) -> None:
    said = fault_of(tmp_path, working_hours=hours)

    assert said.startswith(f"--working-hours: working hours {hours!r}: ")


def test_a_token_and_a_password_are_shown_nowhere(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        token="xoxb-hunter2",
        app_token="hunter2",
        signing_secret="hunter2",
        proxy="http://me:hunter2@proxy:3128",
        database="postgresql://me:hunter2@host/name",
        heartbeat_url="https://hc-ping.com/hunter2",
    )

    shown = loaded, loaded.settings.__rich_repr__(), asdict(loaded.settings)["token"], loaded.warnings
    assert "hunter2" not in f"{shown!r} {loaded}"
    assert loaded.settings.token is not None
    assert loaded.settings.token.reveal() == "xoxb-hunter2"


@pytest.mark.parametrize(
    "flags",
    [
        {"token": "hunter2 hunter2"},
        {"token": '"xoxb-hunter2"'},
        {"signing_secret": "hunter2…"},
        {"max_alert": "xoxb-hunter2"},
        {"working_hours": "xoxb-hunter2"},
        {"timezone": "xapp-1-hunter2"},
        {"scheduler": "xoxe.xoxb-1-hunter2"},
        {"database": "mysql://me:hunter2@host/name"},
        {"proxy": "ftp://me:hunter2@host"},
        {"ca_file": "xoxp-hunter2"},
        {"config": "xoxb-hunter2"},
        {"token_file": "xoxb-hunter2"},
    ],
)
def test_an_error_never_repeats_a_secret(flags: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path, **flags)

    error = raised.value
    assert "hunter2" not in f"{error} {error!r} {error.hint} {error.where}"
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


def test_an_odd_token_is_a_warning_that_does_not_show_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, token="hunter2", app_token="xoxb-hunter2")

    assert loaded.warnings == (
        "--token: token does not begin with xoxb- as Slack's do.",
        "--app-token: app_token does not begin with xapp- as Slack's do.",
    )


def test_secrets_compare_by_their_text_and_print_as_stars() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert (f"{Secret('a')}", repr(Secret("a")), f"{Secret('a'):>5}") == ("***", "Secret(***)", "  ***")
    assert len({Secret("a"), Secret("a")}) == 1


def test_every_secret_can_stand_in_a_file_of_its_own() -> None:
    assert [key.spellings[-1] for key in KEYS if key.kind == "secret"] == [
        "token_file",
        "app_token_file",
        "signing_secret_file",
        "web_token_file",
        "web_read_token_file",
    ]
