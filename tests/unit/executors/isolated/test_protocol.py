"""Documents between the program and the processes of isolated functions."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import pytest

from slack_alert.core.content.pieces import Blocks, Piece, Text, Upload
from slack_alert.core.model.run import Arguments
from slack_alert.executors.isolated.protocol import (
    from_arguments,
    from_line,
    from_pieces,
    to_arguments,
    to_line,
    to_pieces,
)

LISTED = (("db1", "db1: 5"), ("db2", "db2: 1"))


@pytest.mark.parametrize("piece", [Text("9 s"), Blocks({"text": "9 s"}), Upload("lag.txt", b"9", "lag", "in s")])
def test_what_is_said_comes_back_as_it_was(piece: Piece) -> None:
    assert to_pieces(json.loads(json.dumps(from_pieces([piece])))) == (piece,)


def test_what_a_text_lists_comes_back_too() -> None:
    (piece,) = to_pieces(json.loads(json.dumps(from_pieces([Text("db1: 5\ndb2: 1", LISTED)]))))

    assert isinstance(piece, Text)
    assert piece.entries == LISTED


def test_what_json_has_no_form_for_stays_a_number_or_becomes_a_text() -> None:
    line = to_line(notice={"size": Decimal("1.5"), "share": Fraction(1, 4), "path": PurePosixPath("/a")})

    assert from_line(line) == {"notice": {"size": 1.5, "share": 0.25, "path": "/a"}}


@pytest.mark.parametrize(
    "value",
    [
        "a", 3, 2.5, True, ["a", timedelta(seconds=1)], datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 12, 24, 9, 0, 0, 5, tzinfo=timezone.utc), date(2026, 12, 24), timedelta(days=3, microseconds=7),
        Path("a/b"),
    ],
)  # fmt: skip
def test_what_was_typed_comes_to_the_child_as_it_was(value: object) -> None:
    arguments = Arguments({"a": value}, (value, "x"), {"a": "Env"})

    found = to_arguments(from_line(to_line(call=from_arguments(arguments)))["call"])

    assert found == arguments
    assert found is not None
    assert type(found.values["a"]) is type(value)


def test_the_zone_of_a_moment_comes_to_the_child() -> None:
    moment = datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))

    found = to_arguments(from_arguments(Arguments({"a": moment})))

    assert found is not None
    assert getattr(found.values["a"], "tzinfo", None) == ZoneInfo("Europe/Berlin")
