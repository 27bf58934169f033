"""What the HTTP API has: one table, which serves the requests and describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from slack_alert.core.structs import Struct, field

#: A schema of JSON, as OpenAPI 3.1 has it.
Schema = Mapping[str, Any]


class Access(str, Enum):
    """What a caller has to show."""

    READ = "read"
    CHANGE = "change"


class Parameter(Struct, frozen=True):
    """A parameter in the query or, where it stands in the path, in that."""

    name: str
    meaning: str
    schema: Schema


class Route(Struct, frozen=True):
    """An operation of the API."""

    method: str
    #: Parts in braces stand for any text without a slash.
    path: str
    #: The name of the function that answers it.
    name: str
    summary: str
    access: Access
    answer: Schema
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    #: What it answers besides 200, 400, 401 and 503: the status and its meaning.
    others: Mapping[int, str] = field(default_factory=dict)


_TEXT: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_INSTANT: Schema = {"type": ["string", "null"], "description": "ISO 8601, in the configured time zone"}
_JOB = Parameter("job", "A job's full name, or its last part where that is unique", {"type": "string", "minLength": 1})
_WAIT = Parameter(
    "wait", "Seconds to wait for the end before 202 is answered", {"type": "number", "minimum": 0, "maximum": 60}
)


def _list(name: str, item: Schema) -> Schema:
    return {"type": "object", "required": [name], "properties": {name: {"type": "array", "items": item}}}


JOBS = _list(
    "jobs",
    {
        "type": "object",
        "required": ["name", "file", "line", "kind", "trigger", "next_run", "last_run", "state", "alerts"],
        "properties": {
            "name": _TEXT,
            "kind": _TEXT,
            "trigger": _TEXT,
            "state": {"enum": ["active", "paused", "muted", "off_hours"]},
            "next_run": _INSTANT,
            "last_run": _INSTANT,
            "paused_until": _INSTANT,
            "alerts": {"type": "integer"},
        },
    },
)
HISTORY = _list(
    "history",
    {
        "type": "object",
        "required": ["at", "job", "verdict", "text", "run"],
        "properties": {"at": _TEXT, "job": _TEXT, "verdict": _TEXT, "run": {"type": ["integer", "null"]}},
    },
)
QUEUE: Schema = {
    "type": "object",
    "required": ["running", "waiting", "later"],
    "properties": {name: {"type": "array", "items": _OBJECT} for name in ("running", "waiting", "later")},
}
STATUS: Schema = {
    "type": "object",
    "required": ["alive", "clock", "delivery", "queue", "database"],
    "properties": {"alive": {"type": "boolean"}},
}
ASKED: Schema = {
    "type": "object",
    "required": ["run", "state", "verdict", "text"],
    "properties": {
        "run": {"type": ["integer", "null"], "description": "the number of the run, as in queue and history"},
        "state": {"enum": ["done", "running", "waiting"]},
        "verdict": {"type": ["string", "null"], "description": "as in the audit; null while it goes on"},
        "text": {"type": "string", "description": "what a person would have been answered"},
    },
}
EVENT: Schema = {
    "type": "object",
    "required": ["event", "answered_by"],
    "properties": {"event": {"type": "integer"}, "answered_by": {"type": "array", "items": _TEXT}},
}
ERROR: Schema = {
    "type": "object",
    "required": ["error", "hint"],
    "properties": {"error": _TEXT, "hint": {"type": "string", "description": "what to do about it"}},
}
_DENIED = {403: "The role of the token may not do that"}
_GOES_ON = {202: "It goes on: its number is in `/api/queue`, and in `/api/history` once it is over"}


def _change(verb: str, summary: str, body: Schema | None = None) -> Route:
    others = {**_GOES_ON, **_DENIED, 404: "There is no such job"}
    path, name = f"/api/jobs/{{job}}/{verb}", f"{verb}_job"
    return Route("POST", path, name, summary, Access.CHANGE, ASKED, (_JOB, _WAIT), body, others)


def _body(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_LASTING = _body(**{"for": {"type": "string", "description": "how long: 90s, 5m, 1h30m, 2d"}})

ROUTES = (
    Route("GET", "/api/jobs", "list_jobs", "List the jobs with their next runs and state", Access.READ, JOBS),
    Route(
        "GET",
        "/api/history",
        "list_history",
        "List runs with their verdicts and messages, the newest last",
        Access.READ,
        HISTORY,
        (
            Parameter("job", "A job's name, its last part, or a pattern", {"type": "string", "minLength": 1}),
            Parameter("since", "The first moment: 2026-11-21T09:00, 9:00, or 2h (ago)", {"type": "string"}),
            Parameter("limit", "The newest so many", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}),
        ),
        others={404: "There is no such job"},
    ),
    Route("GET", "/api/queue", "list_queue", "List the commands that run, wait, or are for later", Access.READ, QUEUE),
    Route("GET", "/api/status", "read_status", "Tell whether the program is alive", Access.READ, STATUS),
    Route(
        "POST",
        "/api/commands",
        "ask",
        "Ask for a command, as a person would write it",
        Access.CHANGE,
        ASKED,
        (_WAIT,),
        {
            **_body(
                text={"type": "string", "minLength": 1, "description": "deploy shop env=prod"},
                confirm={"type": "boolean", "description": "the answer to a command that asks first"},
            ),
            "required": ["text"],
        },
        {**_GOES_ON, **_DENIED},
    ),
    _change("pause", "Let a job rest", _LASTING),
    _change("resume", "Let a paused job run again"),
    _change("mute", "Let a job run and say nothing for a while", _LASTING),
    _change("unmute", "Let a muted job speak again"),
    _change("ack", "Say that somebody takes care of an incident"),
    _change("run", "Run a job now"),
    Route(
        "POST",
        "/api/events/{name}",
        "emit",
        "Tell the rules of an event; it is on disk once this is answered",
        Access.CHANGE,
        EVENT,
        (Parameter("name", "The name of the event: backup.done", {"type": "string", "minLength": 1}),),
        {"type": "object", "description": "the fields of the event"},
        _DENIED,
    ),
    Route("GET", "/api/openapi.json", "describe", "This description", Access.READ, _OBJECT),
)
