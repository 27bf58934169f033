"""Hooks that other systems call: whether the caller has the secret, what makes a call a repetition, and its event.

Facts about the senders: GitHub signs the body (`X-Hub-Signature-256`), and so does Gitea (`X-Gitea-Signature`). GitLab
sends the secret itself (`X-Gitlab-Token`). Gitee sends the secret, or a signature over the time and the secret, which
does not cover the body (`X-Gitee-Token`, `X-Gitee-Timestamp` in milliseconds): good for an hour, and for one body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

from slack_alert.core.events import Emitted, HookCall
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: By their names in small letters.
Headers = Mapping[str, str]

#: How far the time of a signature may be away.
WINDOW = timedelta(hours=1)
_MOST_FIELDS = 1_000
_LONGEST_KIND = 60


class Hook(Struct, frozen=True):
    """A hook: where it is called, and what shows that the caller may."""

    path: str
    #: The kind of sender: `webhook`, or a host such as `github`.
    sender: str
    name: str
    secret: str
    #: Of a sender of any kind: the header with the proof, whether that is a signature, and the header with the id.
    header: str = ""
    is_signed: bool = False
    id_header: str = ""


class ForgedError(Exception):
    """Nothing shows that the caller has the secret; the argument says why."""


class UnreadableError(Exception):
    """The body cannot be read."""


def read_call(hook: Hook, headers: Headers, body: bytes, now: datetime) -> HookCall:
    """Return what a call says; raise ForgedError, and UnreadableError only for what has shown the secret."""
    sender = _SENDERS[hook.sender]
    signature = sender.check(hook, headers, body, now)
    id_header = hook.id_header or sender.id_header
    delivery = headers.get(id_header, "").strip() if id_header else ""
    fields = _fields(headers, body)
    marks = [f"id {delivery}"] if delivery else []
    marks += [f"signature {signature}"] if signature else []
    event = Emitted(sender.name(hook, headers, fields), now, fields, by=hook.path.removeprefix("/hooks/"))
    return HookCall(event, tuple(_digest(hook.sender, hook.name, mark) for mark in marks), _digest(body))


def _fields(headers: Headers, body: bytes) -> Mapping[str, object]:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        # Many a sender of JSON calls it a form, as curl does.
        if content_type == _FORM and text.lstrip()[:1] not in {"{", "["}:
            form = dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
            if set(form) != {"payload"}:
                return form
            text = form["payload"]
        content = json.loads(text, parse_constant=_no_constant) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise UnreadableError(type(error).__name__) from None
    return content if isinstance(content, dict) else {"value": content}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _signed_body(header: str, prefix: str = "") -> Check:
    def check(hook: Hook, headers: Headers, body: bytes, now: datetime) -> str:  # noqa: ARG001 - as all checks
        given = _proof(headers, hook.header or header).removeprefix(prefix)
        _compare(given.lower(), hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest())
        return given.lower()

    return check


def _shown_secret(header: str) -> Check:
    def check(hook: Hook, headers: Headers, body: bytes, now: datetime) -> str:  # noqa: ARG001 - as all checks
        _compare(_proof(headers, hook.header or header), hook.secret)
        return ""

    return check


def _of_gitee(hook: Hook, headers: Headers, body: bytes, now: datetime) -> str:  # noqa: ARG001 - as all checks
    given, stamp = _proof(headers, "x-gitee-token"), headers.get("x-gitee-timestamp", "")
    if hmac.compare_digest(_bytes(given), _bytes(hook.secret)):
        return ""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MILLISECONDS):
        raise ForgedError("the secret is another one, or the time of the signature is missing")
    if abs(datetime.fromtimestamp(int(stamp) / 1000, timezone.utc) - now) > WINDOW:
        raise ForgedError("the signature is of another time")
    secret = hook.secret.encode()
    _compare(given, b64encode(hmac.new(secret, f"{stamp}\n".encode() + secret, hashlib.sha256).digest()).decode())
    return given


def _of_any(hook: Hook, headers: Headers, body: bytes, now: datetime) -> str:
    check = _signed_body("", "sha256=") if hook.is_signed else _shown_secret("")
    # The same may happen twice: only an id of the sender's own tells that it is one delivery.
    check(hook, headers, body, now)
    return ""


def _proof(headers: Headers, header: str) -> str:
    given = headers.get(header, "").strip()
    if not given:
        raise ForgedError(f"there is no {header}")
    return given


def _compare(given: str, expected: str) -> None:
    if not hmac.compare_digest(_bytes(given), _bytes(expected)):
        raise ForgedError("the secret is another one")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _digest(*parts: str | bytes) -> str:
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        content = part if isinstance(part, bytes) else _bytes(part)
        hashed.update(f"{len(content)} ".encode() + content)
    return hashed.hexdigest()


def _own_name(hook: Hook, headers: Headers, fields: Mapping[str, object]) -> str:  # noqa: ARG001 - as all names
    return f"{hook.sender}.{hook.name}"


def _kind_in(header: str) -> Name:
    """Return what makes the name of an event of what a host says in a header: `Merge Request Hook`, `pull_request`."""

    def name(hook: Hook, headers: Headers, fields: Mapping[str, object]) -> str:
        said = headers.get(header, "") or str(fields.get("object_kind") or fields.get("hook_name") or "unknown")
        kind = _NO_KIND.sub("_", said.lower().removesuffix(" hook").removesuffix("_hooks")).strip("_")[:_LONGEST_KIND]
        return f"{hook.sender}.{_KINDS.get((hook.sender, kind), kind) or 'unknown'}"

    return name


#: Raises ForgedError, or returns the signature, which is empty where it does not belong to one call.
Check = Callable[[Hook, Headers, bytes, datetime], str]
#: Returns the name of the event.
Name = Callable[[Hook, Headers, Mapping[str, object]], str]


class _Sender(Struct, frozen=True):
    """What is special about senders of a kind."""

    check: Check
    name: Name
    id_header: str = ""


_FORM = "application/x-www-form-urlencoded"
#: Digits of a time in milliseconds.
_MILLISECONDS = 14
_NO_KIND = lazy_pattern(r"[^a-z0-9]+")
#: What Gitee calls otherwise than the product does.
_KINDS = {("gitee", "merge_request"): "pull_request", ("gitee", "note"): "comment", ("gitee", "tag_push"): "tag_push"}
_SENDERS: Mapping[str, _Sender] = {
    "webhook": _Sender(_of_any, _own_name),
    "github": _Sender(_signed_body("x-hub-signature-256", "sha256="), _kind_in("x-github-event"), "x-github-delivery"),
    "gitea": _Sender(_signed_body("x-gitea-signature"), _kind_in("x-gitea-event"), "x-gitea-delivery"),
    "gitlab": _Sender(_shown_secret("x-gitlab-token"), _kind_in("x-gitlab-event"), "x-gitlab-event-uuid"),
    "gitee": _Sender(_of_gitee, _kind_in("x-gitee-event"), "x-gitee-delivery"),
}
