"""Send the request of an action without Python: values are percent-encoded in the address, and typed in the body."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.pack import ValueType
from slack_alert.core.structs import Struct, field
from slack_alert.engine.context.action_values import as_word, checked_values, filled

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
#: In seconds: how long the other side may be silent.
_PATIENCE = 30.0
#: In bytes: so much of an answer is read.
_MOST = 100_000
_SHOWN = 500


class RequestError(SlackAlertError):
    """The request of an action was refused, or not answered."""


class HttpCall(Struct, frozen=True):
    """The function of such an action."""

    method: str
    url: str
    #: What is sent, as JSON; None: nothing.
    json: Any
    headers: Mapping[str, str]
    placeholder: re.Pattern[str]
    #: The values of parameters that are not given, and the types of all.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, ValueType] = field(default_factory=dict)

    def __call__(self, *, ctx: object, **values: object) -> str:  # noqa: ARG002 - as all functions take it
        """Return the body of the answer as text; raise RequestError for a status of 400 or more, and no answer."""
        known = checked_values(values, self.defaults, self.types)
        url = filled(self.url, known, self.placeholder, lambda value: quote(text_of(value), safe=""))
        headers = {name: filled(text, known, self.placeholder, _as_header) for name, text in self.headers.items()}
        body = None
        if self.json is not None:
            body = json.dumps(self._typed(self.json, known), default=text_of).encode()
            headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(url, body, headers, method=self.method)  # noqa: S310 - http and https only
        return _answered(request)

    def _typed(self, value: object, known: Mapping[str, Any]) -> object:
        """Return a part of the body; a text that is nothing but a name in braces is that value with its type."""
        if isinstance(value, str):
            alone = self.placeholder.fullmatch(value)
            return known.get(alone[1]) if alone else filled(value, known, self.placeholder, text_of)
        if isinstance(value, list):
            return [self._typed(one, known) for one in value]
        if isinstance(value, dict):
            return {name: self._typed(one, known) for name, one in value.items()}
        return value


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to the same host only: headers may hold a secret."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:  # Any: as there
        if urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            raise RequestError(f"{_shown(req.full_url)} redirects to {urlsplit(newurl).netloc}, which is another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _answered(request: urllib.request.Request) -> str:
    try:
        with urllib.request.build_opener(_SameHost).open(request, timeout=_PATIENCE) as answer:
            return str(answer.read(_MOST).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(_SHOWN).decode("utf-8", "replace").strip()
        raise RequestError(
            f"{_shown(request.full_url)} answers {error.code} {error.reason}{f': {said}' if said else ''}"
        ) from None
    except urllib.error.URLError as error:
        raise RequestError(f"{_shown(request.full_url)} does not answer: {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise RequestError(f"{_shown(request.full_url)} does not answer: {error or type(error).__name__}") from None


def _as_header(value: object) -> str:
    text = as_word(value)
    if "\r" in text or "\n" in text:
        raise BadValue("a value with a new line cannot be in a header", hint="")
    return text


def _shown(url: str) -> str:
    """Return an address without what may be secret in it."""
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc.rpartition('@')[2]}{place.path}"
