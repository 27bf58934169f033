"""What goes to processes of their own and back."""

from __future__ import annotations

import json

import pytest

from slack_alert.core.parts import Blocks, Piece, Text, Upload
from slack_alert.executors.wire import from_pieces, to_pieces

LISTED = (("db1", "db1: 5"), ("db2", "db2: 1"))


@pytest.mark.parametrize("piece", [Text("9 s"), Blocks({"text": "9 s"}), Upload("lag.txt", b"9", "lag", "in s")])
def test_what_is_said_comes_back_as_it_was(piece: Piece) -> None:
    assert to_pieces(json.loads(json.dumps(from_pieces([piece])))) == (piece,)


def test_what_a_text_lists_comes_back_too() -> None:
    (piece,) = to_pieces(json.loads(json.dumps(from_pieces([Text("db1: 5\ndb2: 1", LISTED)]))))

    assert isinstance(piece, Text)
    assert piece.entries == LISTED
