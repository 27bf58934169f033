"""Where a message comes from: its key is made of that, and only messages of former versions are known by their keys."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from slack_alert.core.model.former_messages import former_origin, former_severity
from slack_alert.core.model.message import MessageSeverity, Notice, Origin, RunPart

NOON = datetime(2026, 11, 16, 12, 0, 0, 250, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("origin", "key"),
    [
        (RunPart("db.lag", NOON, 7), "db.lag@2026-11-16T12:00:00.000250+00:00/7#0"),
        (RunPart("mail @home #1", NOON, 7, 12), "mail @home #1@2026-11-16T12:00:00.000250+00:00/7#12"),
        (Notice("storm", "12"), "storm/12"),
        (Notice("send", "9f8e", 0), "send/9f8e#0"),
        (Notice("undeliverable", "slack:#ops/gone/2026-11-16"), "undeliverable/slack:#ops/gone/2026-11-16"),
        (Notice("quiet", "muted by #1/*/2026/slack:#ops"), "quiet/muted by #1/*/2026/slack:#ops"),
    ],
    ids=["a run", "signs in its job's name", "a notice", "a text in parts", "an address", "an address at the end"],
)
def test_a_key_is_made_of_the_origin_and_a_former_one_leads_back_to_it(origin: Origin, key: str) -> None:
    assert origin.key == key
    assert former_origin(key, origin.slot, origin.run) == origin


@pytest.mark.parametrize(
    ("key", "run", "expected"),
    [
        ("0a1b2c#3", 7, RunPart("", None, 7, 3)),
        ("m1", None, Notice("m1", "")),
        ("#", None, Notice("#", "")),
        ("", None, Notice("", "")),
    ],
    ids=["trigger --post", "no kind", "no number", "nothing"],
)
def test_any_former_key_has_an_origin(key: str, run: int | None, expected: Origin) -> None:
    assert former_origin(key, None, run) == expected


def test_a_former_error_is_known_by_its_card() -> None:
    assert former_severity(":rotating_light: *db.lag* failed: OSError") is MessageSeverity.ERROR
    assert former_severity("OSError: :rotating_light: *db.lag* failed") is MessageSeverity.INFO
