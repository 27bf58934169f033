"""Encode and decode what the program and the child processes exchange: one JSON document per line."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any  # JSON values.

from slack_alert.core.content.drafts import Draft
from slack_alert.core.content.measurements import NUMBERS
from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Failure, Run
from slack_alert.core.structs import Struct, asdict

Document = dict[str, Any]

#: Characters that are kept of a log message.
LOGGED = 1024 * 1024
#: The exit code of a process whose pipe to this program was closed by a function.
CUT = 74


def to_line(**document: object) -> bytes:
    """Encode a document; values unknown to JSON become a number if they are one, else their text."""
    # Unescaped: escaped it would be up to six times as long. Lone surrogates are passed as well.
    return json.dumps(document, default=_plain, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def from_line(line: bytes) -> Document:
    """Decode a document; a line that was cut off or comes from elsewhere becomes an empty document."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def from_pieces(pieces: Iterable[Piece]) -> list[Document]:
    """Return documents of pieces; files are read already, and drafts are laid out where the secrets are known."""
    return [_from_piece(piece) for piece in pieces]


def to_pieces(documents: Iterable[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Return the pieces of such documents."""
    return tuple(_to_piece(document) for document in documents)


def from_failure(failure: Failure | None) -> Document | None:
    """Return a document of a failure."""
    return asdict(failure) if failure else None


def to_failure(document: Mapping[str, Any] | None) -> Failure | None:
    """Return the failure of such a document."""
    return Failure(**{**document, "verdict": Verdict(document["verdict"])}) if document else None


def from_run(run: Run) -> Document:
    """Return a document of a call."""
    run_options, action = run.run_options, run.action
    return {
        "id": run.id,
        "job": run.binding,
        "action": {
            "name": action.name,
            "file": action.file,
            "line": action.line,
            "doc": action.doc,
            "takes_context": action.takes_context,
            "is_async": action.is_async,
            "parameters": action.parameters,
        },
        "slot": run.slot.isoformat(),
        "asked_by": run.asked_by,
        "event": None if run.event is None else dict(run.event),
        "emits": run.emits,
        "timeout": None if run_options.timeout is None else run_options.timeout.total_seconds(),
        "cpu": None if run_options.cpu is None else run_options.cpu.total_seconds(),
        "memory": run_options.memory,
    }


def _plain(value: object) -> object:
    if isinstance(value, NUMBERS):
        return int(value) if isinstance(value, Integral) else float(value)
    return str(value)


def _from_piece(piece: Piece) -> Document:
    if isinstance(piece, Draft):
        return {"layout": piece.layout, "rows": piece.rows, "count": piece.count, "right": piece.right}
    if isinstance(piece, Text):
        return {"text": piece.text, **({"entries": piece.entries} if piece.entries else {})}
    if isinstance(piece, Blocks):
        return {"blocks": piece.payload}
    assert not isinstance(piece.content, Path), "files are read where the function is called"
    content = base64.b64encode(piece.content).decode()
    return {"name": piece.name, "content": content, "title": piece.title, "comment": piece.comment}


def _to_piece(document: Mapping[str, Any]) -> Piece:
    if "layout" in document:
        return Draft("", **{**document, "right": tuple(document["right"])})
    if "text" in document:
        return Text(document["text"], tuple((key, text) for key, text in document.get("entries", ())))
    if "blocks" in document:
        return Blocks(document["blocks"])
    content = base64.b64decode(document["content"])
    return Upload(document["name"], content, document["title"], document["comment"])


class PluginSources(Struct, frozen=True):
    """The program's access to the plugin files."""

    #: Returns the contents of files by path, for a job's name; the same object while nothing has changed.
    contents_for: Callable[[str], Mapping[str, bytes]]
    #: Accepts files that a child process has read itself.
    add_found: Callable[[Mapping[str, bytes]], object]


class KnownFiles(Struct, frozen=True):
    """The child process's access to the plugin files."""

    #: Returns a function by its file below PATH and its job's name; raises the errors of loading the file.
    load: Callable[[str, str], Callable[..., Any]]
    #: Accepts changed contents; None: the file no longer exists.
    update: Callable[[Mapping[str, bytes | None]], object]
    #: Returns the files that it has read itself since the last call.
    newly_read: Callable[[], Mapping[str, bytes]]


def from_changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Document:
    """Return a document of changed files, as text of one character per byte; None: the file no longer exists."""
    if before is after:
        return {}
    changed = {path: content for path, content in after.items() if before.get(path) != content}
    return {**dict.fromkeys(before.keys() - after.keys()), **from_contents(changed)}


def to_changes(document: Mapping[str, str | None]) -> dict[str, bytes | None]:
    """Return the changed files of such a document."""
    return {path: None if text is None else text.encode("latin-1") for path, text in document.items()}


def from_contents(contents: Mapping[str, bytes]) -> Document:
    """Return a document of files."""
    return {path: content.decode("latin-1") for path, content in contents.items()}


def to_contents(document: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files of such a document."""
    return {path: text.encode("latin-1") for path, text in document.items()}
