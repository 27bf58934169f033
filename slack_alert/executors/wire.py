"""What goes between this program and the processes in which functions are called: one JSON document a line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any  # What JSON holds.

from slack_alert.core.model import Failure, Verdict
from slack_alert.core.values import Blocks, Piece, Text, Upload

Document = dict[str, Any]


def to_line(**document: object) -> bytes:
    """Write a document; what JSON does not know is written as its text."""
    return json.dumps(document, default=str).encode() + b"\n"


def from_line(line: bytes) -> Document:
    """Read a document; a line that was cut off, or is somebody else's, is an empty one."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def from_pieces(pieces: Iterable[Piece]) -> list[Document]:
    """Make documents of what is said; files are read already."""
    return [_from_piece(piece) for piece in pieces]


def to_pieces(documents: Iterable[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Make of such documents what is said."""
    return tuple(_to_piece(document) for document in documents)


def from_failure(failure: Failure | None) -> Document | None:
    """Make a document of a failure."""
    return asdict(failure) if failure else None


def to_failure(document: Mapping[str, Any] | None) -> Failure | None:
    """Make of such a document a failure."""
    return Failure(**{**document, "verdict": Verdict(document["verdict"])}) if document else None


def _from_piece(piece: Piece) -> Document:
    if isinstance(piece, Text):
        return {"text": piece.text}
    if isinstance(piece, Blocks):
        return {"blocks": piece.payload}
    assert not isinstance(piece.content, Path), "files are read where the function is called"
    content = base64.b64encode(piece.content).decode()
    return {"name": piece.name, "content": content, "title": piece.title, "comment": piece.comment}


def _to_piece(document: Mapping[str, Any]) -> Piece:
    if "text" in document:
        return Text(document["text"])
    if "blocks" in document:
        return Blocks(document["blocks"])
    content = base64.b64decode(document["content"])
    return Upload(document["name"], content, document["title"], document["comment"])
