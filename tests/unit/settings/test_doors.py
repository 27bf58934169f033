"""Which settings let people in, and which of them need another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from slack_alert.settings import LoadedSettings, load_settings

TOKEN = {"token": "xoxb-1"}
DOORS = [
    {"app_token": "xapp-1"},
    {"signing_secret": "s", "web_listen": "127.0.0.1:0"},
    {"chat_poll": "5s", "chat_channels": "#ops"},
]


def load(folder: Path, **given: object) -> LoadedSettings:
    return load_settings(given, {"TZ": "Europe/Berlin"}, cwd=folder, home=folder / "home", etc=folder)


def ids(door: dict[str, str]) -> str:
    return ", ".join(door)


@pytest.mark.parametrize("door", DOORS, ids=ids)
def test_people_are_let_in_by_each_door_with_a_token_and_not_in_a_dry_run(tmp_path: Path, door: dict[str, str]) -> None:
    loaded = load(tmp_path, **door, **TOKEN)
    tried = load(tmp_path, dry_run=True, **door, **TOKEN)

    assert (loaded.settings.has_doors, loaded.warnings) == (True, ())
    assert not tried.settings.has_doors


@pytest.mark.parametrize("door", DOORS, ids=ids)
def test_a_door_without_a_token_lets_nobody_in_and_is_a_warning(tmp_path: Path, door: dict[str, str]) -> None:
    loaded = load(tmp_path, **door)

    assert not loaded.settings.has_doors
    (warning,) = loaded.warnings
    assert warning.endswith(" has no effect without `token`.")


@pytest.mark.parametrize(
    ("half", "told"),
    [
        ({"signing_secret": "s"}, "signing_secret has no effect without `listen` in [web]."),
        ({"chat_poll": "5s"}, "poll has no effect without `channels` in [chat]."),
        ({"chat_channels": "#ops"}, "channels has no effect without `poll` in [chat]."),
    ],
    ids=["secret", "poll", "channels"],
)
def test_half_a_door_lets_nobody_in_and_is_a_warning(tmp_path: Path, half: dict[str, str], told: str) -> None:
    loaded = load(tmp_path, **half, **TOKEN)

    assert not loaded.settings.has_doors
    (warning,) = loaded.warnings
    assert warning.endswith(f": {told}")


def test_nothing_lets_anybody_in_by_itself(tmp_path: Path) -> None:
    assert not load(tmp_path, **TOKEN).settings.has_doors
