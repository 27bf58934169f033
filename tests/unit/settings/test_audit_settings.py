from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.bootstrap.audit import audit_key, audit_notices
from slack_alert.core.errors import SettingsError
from slack_alert.core.model.address import Address
from slack_alert.settings import LoadedSettings, load_settings


def load(folder: Path, conf: str, **environ: str) -> LoadedSettings:
    (folder / "slack_alert.conf").write_text(conf, encoding="utf-8")
    return load_settings({}, {"TZ": "UTC", **environ}, cwd=folder, home=folder / "home")


def test_without_settings_the_key_is_below_path_and_nothing_is_posted(tmp_path: Path) -> None:
    settings = load(tmp_path, "").settings

    assert settings.audit_key_file == tmp_path / ".slack_alert" / "audit.key"
    assert (settings.audit_days, settings.audit_sensitive, settings.audit_channel) == (None, (), None)
    assert settings.audit_office_hours.is_always
    assert audit_notices(settings) is None
    assert audit_key(settings).head() is None


@pytest.mark.parametrize(
    ("written", "place"),
    [("keys/audit", "keys/audit"), ("/etc/none/audit", "/etc/none/audit"), ("~/audit", "home/audit")],
)
def test_the_key_may_lie_anywhere_and_need_not_be_there(tmp_path: Path, written: str, place: str) -> None:
    assert load(tmp_path, f"[audit]\nkey_file = {written}\n").settings.audit_key_file == tmp_path / place


def test_it_can_be_set_by_the_environment(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "[audit]\ndays = 3\n",
        SLACK_ALERT_AUDIT_DAYS="90",
        SLACK_ALERT_AUDIT_SENSITIVE="deploy",
        SLACK_ALERT_AUDIT_KEY_FILE="k",
        SLACK_ALERT_AUDIT_OFFICE_HOURS="9:00-17:00",
        SLACK_ALERT_AUDIT_CHANNEL="#audit",
    ).settings

    assert (settings.audit_days, settings.audit_sensitive, settings.audit_key_file) == (90, ("deploy",), tmp_path / "k")
    assert (settings.audit_office_hours.text, settings.audit_channel) == ("9:00-17:00", "#audit")


def test_what_is_posted_goes_to_its_channel(tmp_path: Path) -> None:
    conf = "[slack]\ntoken = xoxb-1\nchannel = #ops\n[audit]\nchannel = #audit\nsensitive = deploy,  jenkins   log ,,\n"
    notices = audit_notices(load(tmp_path, conf).settings)

    assert notices is not None
    assert notices.to == Address("slack", "#audit")
    assert notices.sensitive == ("deploy", "jenkins log")


def test_without_a_token_it_goes_to_the_terminal(tmp_path: Path) -> None:
    notices = audit_notices(load(tmp_path, "[audit]\nchannel = #audit\n").settings)

    assert notices is not None
    assert notices.to.channel == "console"


@pytest.mark.parametrize(
    ("conf", "fault"),
    [
        ("days = 0", "audit_days|0"),
        ("days = many", "many"),
        ("key_file =", "empty"),
        ("key_file = plugins", "folder"),
        ("office_hours = never", "never"),
        ("channel = #a b", "a b"),
        ("secret = x", "not a key of"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, conf: str, fault: str) -> None:
    (tmp_path / "plugins").mkdir()
    with pytest.raises(SettingsError, match=fault) as raised:
        load(tmp_path, f"[audit]\n{conf}\n")

    assert raised.value.where == "slack_alert.conf:2"


@pytest.mark.parametrize(("name", "value"), [("sensitive", "deploy"), ("office_hours", "9:00-17:00")])
def test_what_has_no_effect_without_a_channel_is_told(tmp_path: Path, name: str, value: str) -> None:
    (warning,) = load(tmp_path, f"[audit]\n{name} = {value}\n").warnings

    assert f"{name} has no effect without `channel` in [audit]" in warning
    assert load(tmp_path, f"[audit]\nchannel = #a\n{name} = {value}\n").warnings == ()
    assert load(tmp_path, "[audit]\nsensitive =\noffice_hours = always\n").warnings == ()


def test_a_key_that_cannot_be_seen_is_for_whoever_uses_it_to_tell(tmp_path: Path) -> None:
    """Other commands read the settings as well, perhaps as a user who may not look into the folder."""
    (tmp_path / "plugins").mkdir()

    assert load(tmp_path, f"[audit]\nkey_file = {'x' * 300}\n").settings.audit_key_file.name == "x" * 300
