"""Encode and decode what the program and the child processes exchange: one JSON document per line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any  # JSON values.
from zoneinfo import ZoneInfo

from slack_alert.core.content.drafts import Draft
from slack_alert.core.content.measurements import NUMBERS
from slack_alert.core.content.render import Piece
from slack_alert.core.model.run import Action, Arguments, Failure, Run
from slack_alert.core.structs import Struct, from_plain, to_plain

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack

Document = dict[str, Any]

#: What a function's value becomes in the child.
_ANY_PIECE: Any = Piece | Draft
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
    return [to_plain(piece, _plain) for piece in pieces]


def to_pieces(documents: Iterable[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Return the pieces of such documents."""
    return tuple(from_plain(document, _ANY_PIECE) for document in documents)


def from_failure(failure: Failure | None) -> Document | None:
    """Return a document of a failure."""
    return to_plain(failure)  # type: ignore[no-any-return]


def to_failure(document: Mapping[str, Any] | None) -> Failure | None:
    """Return the failure of such a document."""
    return from_plain(document, Failure) if document else None


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
            "required": action.required,
            "params": action.params,
        },
        "pack": None if action.pack is None else from_pack(action.pack),
        "slot": run.slot.isoformat(),
        "asked_by": run.asked_by,
        "event": None if run.event is None else dict(run.event),
        "collected": [dict(each) for each in run.collected],
        "emits": run.emits,
        "endless": run_options.is_endless,
        "timeout": None if run_options.timeout is None else run_options.timeout.total_seconds(),
        "cpu": None if run_options.cpu is None else run_options.cpu.total_seconds(),
        "memory": run_options.memory,
        "arguments": None if run.arguments is None else from_arguments(run.arguments),
    }


def from_pack(pack: Pack) -> Document:
    """Return a document of what a function needs of its pack."""
    config = {key: _tagged(value) for key, value in pack.config.items()}
    return {
        "name": pack.name,
        "shown": pack.shown,
        "folder": pack.folder,
        "config": config,
        "secret": sorted(pack.config.secret_keys),
    }


def to_pack(document: Mapping[str, Any] | None) -> Pack | None:
    """Return the pack of such a document."""
    if document is None:
        return None
    from slack_alert.core.pack import Manifest, Pack, PackConfig

    name = document["name"]
    values = {key: _untagged(value) for key, value in document["config"].items()}
    config = PackConfig(name, values, document["secret"])
    return Pack(Manifest(name), document["shown"], document["folder"], config=config)


def from_arguments(arguments: Arguments) -> Document:
    """Return a document of a command's arguments; values that JSON does not have name their type."""
    values = {name: _tagged(value) for name, value in arguments.values.items()}
    return {"values": values, "rest": [_tagged(value) for value in arguments.rest], "enums": dict(arguments.enums)}


def to_arguments(document: Mapping[str, Any] | None) -> Arguments | None:
    """Return the arguments of such a document."""
    if document is None:
        return None
    values = {name: _untagged(value) for name, value in document["values"].items()}
    return Arguments(values, tuple(map(_untagged, document["rest"])), document["enums"])


def _tagged(value: object) -> object:
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, datetime):
        return {"datetime": value.isoformat(), "zone": getattr(value.tzinfo, "key", None)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"microseconds": value // timedelta(microseconds=1)}
    return {"path": str(value)} if isinstance(value, Path) else value


def _untagged(value: Any) -> object:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "datetime" in value:
        instant, zone = datetime.fromisoformat(value["datetime"]), value["zone"]
        return instant.astimezone(ZoneInfo(zone)) if zone else instant
    if "date" in value:
        return date.fromisoformat(value["date"])
    return timedelta(microseconds=value["microseconds"]) if "microseconds" in value else Path(value["path"])


def _plain(value: object) -> object:
    if isinstance(value, NUMBERS):
        return int(value) if isinstance(value, Integral) else float(value)
    return str(value)


class PluginSources(Struct, frozen=True):
    """The program's access to the plugin files."""

    #: Returns the contents of files by path, for a job's name; the same object while nothing has changed.
    contents_for: Callable[[str], Mapping[str, bytes]]
    #: Accepts files that a child process has read itself.
    add_found: Callable[[Mapping[str, bytes]], object]


class KnownFiles(Struct, frozen=True):
    """The child process's access to the plugin files."""

    #: Returns a function of an action; raises the errors of loading its file.
    load: Callable[[Action], Callable[..., Any]]
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
