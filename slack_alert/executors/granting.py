"""What a function in a process of its own asks of the program, done here."""

from __future__ import annotations

import json
from typing import Any  # What JSON holds.

from slack_alert.engine.context.context import Context
from slack_alert.executors.wire import Document, to_pieces

_ABSENT = object()


def answered(context: Context, name: str, *words: Any) -> Document:
    """Do it, and give what is to be answered; what goes wrong is the function's to know."""
    try:
        return {"value": _ASKED[name](context, *words)}
    except Exception as error:  # noqa: BLE001 - it is raised again where it was asked
        return {"error": [type(error).__name__, str(error)]}


def _say(context: Context, piece: Document, to: str | None) -> None:
    for each in to_pieces([piece]):
        context.say(each, to)


def _get(context: Context, key: str) -> str | None:
    found = context.store.get(key, _ABSENT)
    return None if found is _ABSENT else json.dumps(found)


def _set(context: Context, key: str, value: str, seconds: float | None) -> None:
    context.store.set(key, json.loads(value), expires=seconds)


_ASKED: dict[str, Any] = {
    "say": _say,
    "pause": Context.pause,
    "resume": Context.resume,
    "get": _get,
    "set": _set,
    "delete": lambda context, key: context.store.delete(key),
    "keys": lambda context: context.store.keys(),
}
