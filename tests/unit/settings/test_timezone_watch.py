from __future__ import annotations

import os
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from slack_alert.settings.timezone_watch import ZoneWatch, is_same_zone
from slack_alert.settings.timezones import machine_zone

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


def zone_file(name: str) -> Path:
    return next(Path(folder) / name for folder in TZPATH if (Path(folder) / name).exists())


def link(etc: Path, name: str) -> None:
    """As timedatectl does."""
    (etc / "new").symlink_to(f"/usr/share/zoneinfo/{name}")
    (etc / "new").rename(etc / "localtime")


def text(etc: Path, name: str) -> None:
    (etc / "timezone").write_text(f"{name}\n")


def copy(etc: Path, name: str) -> None:
    (etc / "localtime").write_bytes(zone_file(name).read_bytes())


def copy_and_text(etc: Path, name: str) -> None:
    copy(etc, name)
    text(etc, name)


@pytest.mark.parametrize("write", [link, text, copy, copy_and_text])
def test_each_way_to_set_another_zone_is_noticed_once(write: Callable[[Path, str], None], tmp_path: Path) -> None:
    write(tmp_path, "Europe/Berlin")
    start = machine_zone({}, tmp_path).zone
    assert start is not None
    watch = ZoneWatch(start, {}, etc=tmp_path)
    assert watch.changed() is None

    write(tmp_path, "Asia/Tokyo")

    found = watch.changed()
    assert found is not None
    assert found.utcoffset(None) == TOKYO.utcoffset(None)
    assert not is_same_zone(found, start)
    assert [watch.changed() for _ in range(3)] == [None] * 3

    write(tmp_path, "Europe/Berlin")
    again = watch.changed()
    assert again is not None
    assert is_same_zone(again, start)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    link(tmp_path, "Europe/Berlin")
    return tmp_path


def test_link_and_text_that_change_one_after_the_other_are_one_change(etc: Path) -> None:
    text(etc, "Europe/Berlin")
    watch = ZoneWatch(BERLIN, {}, etc=etc)

    link(etc, "Asia/Tokyo")
    assert str(watch.changed()) == "Asia/Tokyo"
    text(etc, "Asia/Tokyo")
    assert watch.changed() is None


def test_files_written_anew_with_the_same_zone_are_no_change(etc: Path) -> None:
    watch = ZoneWatch(BERLIN, {}, etc=etc)

    link(etc, "Europe/Berlin")
    os.utime(etc / "localtime", (1, 1), follow_symlinks=False)

    assert watch.changed() is None


def test_a_machine_that_names_no_zone_any_more_is_in_utc(etc: Path) -> None:
    watch = ZoneWatch(BERLIN, {}, etc=etc)

    (etc / "localtime").unlink()

    assert str(watch.changed()) == "UTC"


@pytest.mark.parametrize(("zone", "is_noticed"), [("Europe/Berlin", False), ("", True)])
def test_what_the_variable_says_stands(zone: str, is_noticed: bool, etc: Path) -> None:
    watch = ZoneWatch(BERLIN, {"TZ": zone}, etc=etc)

    link(etc, "Asia/Tokyo")

    found: tzinfo | None = watch.changed()
    assert (found is not None) is is_noticed
