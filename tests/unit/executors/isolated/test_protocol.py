"""Documents between the program and the processes of isolated functions."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath

import pytest

from slack_alert.core.content.pieces import Blocks, Piece, Text, Upload
from slack_alert.executors.isolated.protocol import from_line, from_pieces, to_line, to_pieces

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
