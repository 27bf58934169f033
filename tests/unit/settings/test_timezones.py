from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.settings.timezones import MachineZone, machine_zone, parse_zone


def bytes_of_a_zone() -> bytes:
    """A fixed zone of +5:30 in the oldest format, so that the test needs no zone database."""
    counts = b"".join(count.to_bytes(4, "big") for count in (0, 0, 0, 0, 1, 4))
    return b"TZif" + b"\0" * 16 + counts + (19800).to_bytes(4, "big") + b"\0\0" + b"IST\0"


def test_a_zone_is_called_by_its_name() -> None:
    assert parse_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("europe/berlin ", "Did you mean Europe/Berlin?"),
        ("america/new york", "Did you mean America/New_York?"),
        ("../../etc/passwd", "Write a name such as Europe/Berlin or UTC."),
        ("/etc/passwd", "Write a name such as Europe/Berlin or UTC."),
        ("Mars/Phobos", "Write a name such as Europe/Berlin or UTC."),
        ("12345", "Write a name such as Europe/Berlin or UTC."),
    ],
)
def test_what_is_no_zone_is_told_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(BadValue) as raised:
        parse_zone(name)

    assert (str(raised.value), raised.value.hint) == (f"{name!r} is not a time zone", hint)


@pytest.mark.parametrize("written", ["Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"])
def test_the_variable_decides(written: str, tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")

    assert machine_zone({"TZ": written}, tmp_path) == MachineZone(ZoneInfo("Europe/Berlin"))


def test_a_variable_that_names_no_zone_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")

    found = machine_zone({"TZ": "<+05>-5"}, tmp_path)

    assert found.zone == ZoneInfo("Asia/Tokyo")
    assert found.warnings == ("TZ: '<+05>-5' is not the name of a time zone; it is passed over.",)


def test_the_link_names_the_zone(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")

    assert machine_zone({}, tmp_path) == MachineZone(ZoneInfo("Europe/Berlin"))


def test_a_file_in_place_of_the_link_gives_its_rules(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(bytes_of_a_zone())

    zone = machine_zone({}, tmp_path).zone

    assert datetime(2026, 11, 21, tzinfo=zone).utcoffset() == timedelta(hours=5, minutes=30)


def test_a_machine_that_says_nothing_has_no_zone(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"no zone")
    (tmp_path / "timezone").write_bytes(b"\xff")

    assert machine_zone({}, tmp_path) == MachineZone(None)


def test_utc_needs_no_zone_database() -> None:
    assert parse_zone("UTC").utcoffset(datetime(2026, 11, 21, tzinfo=timezone.utc)) == timedelta(0)
