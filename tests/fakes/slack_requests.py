"""How the fake Slack reads a request: who calls, which method, with which arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.fakes.slack_methods import METHODS, Method
from tests.fakes.slack_rules import Json, SlackError

_FORMS = ("application/x-www-form-urlencoded", "text/plain")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came off the wire, before any rule has looked at it."""

    method: str
    verb: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    form: Mapping[str, str] = field(default_factory=dict)  # the fields of a multipart body

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        return self.headers.get("Content-Type", "").lower().partition("charset=")[2].strip(" ;\"'")


@dataclass(frozen=True, slots=True)
class Request:
    """What one request was and how it ended; nothing was answered where the connection was broken."""

    method: str
    verb: str
    headers: dict[str, str]
    arguments: Json
    at: float
    answer: Json | None
    status: int | None
    unknown: tuple[str, ...] = ()
    fault: str | None = None


def read_arguments(arrived: Arrived) -> Json:
    """Read the arguments from query and body; refuse a body Slack cannot read."""
    if arrived.verb == "GET" or not (arrived.body or arrived.form):
        return dict(arrived.query)
    if not arrived.content_type:
        raise SlackError("missing_post_type")
    if arrived.charset not in ("", "utf-8", "utf8", "iso-8859-1"):
        raise SlackError("invalid_charset")
    method = METHODS.get(arrived.method)
    return {**arrived.query, **_body_arguments(arrived, takes_json=method is None or method.takes_json)}


def look_up(arrived: Arrived) -> Method:
    """Find the method; refuse one that does not exist."""
    method = METHODS.get(arrived.method)
    if method is None:
        raise SlackError("unknown_method", req_method=arrived.method)
    return method


def authenticate(arrived: Arrived, arguments: Json, *, token: str, is_of_app: bool = False) -> None:
    """Take the token from the Authorization header and from nowhere else."""
    if "token" in arguments:
        raise SlackError("invalid_auth")
    scheme, _, given = arrived.headers.get("Authorization", "").partition(" ")
    if not scheme:
        raise SlackError("not_authed")
    if scheme == "Bearer" and given.startswith("xoxb-" if is_of_app else "xapp-"):
        raise SlackError("not_allowed_token_type")
    if scheme != "Bearer" or given.strip() != token:
        raise SlackError("invalid_auth")


def warned(arrived: Arrived, answer: Json) -> Json:
    """Add the warning Slack gives for JSON whose charset is not said."""
    if arrived.content_type != "application/json" or arrived.charset or not answer.get("ok"):
        return answer
    metadata = answer.get("response_metadata", {})
    warnings = [*metadata.get("warnings", []), "missing_charset"]
    return {**answer, "warning": ",".join(warnings), "response_metadata": {**metadata, "warnings": warnings}}


def _body_arguments(arrived: Arrived, *, takes_json: bool) -> Json:
    if arrived.content_type == "multipart/form-data":
        return dict(arrived.form)
    if arrived.content_type in _FORMS:
        return dict(parse_qsl(arrived.body.decode(errors="replace"), keep_blank_values=True))
    if arrived.content_type != "application/json":
        raise SlackError("invalid_post_type")
    try:
        read = json.loads(arrived.body)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(read, dict):
        raise SlackError("json_not_object")
    return read if takes_json else {}
