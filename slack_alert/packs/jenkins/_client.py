"""Call Jenkins: each answer that is not one of Jenkins' own is a sentence about what stands in between.

Facts: only the id at the end of a queue item's address counts, as its host may be another one behind a proxy. An item
is forgotten five minutes after it has left the queue, so its build is found by `queueId` then. A job with parameters
is started at `buildWithParameters`, one without at `build`, and the wrong one is refused. An API token needs no crumb.
"""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

import aiohttp

from slack_alert.core.errors import ActionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

#: Before each further try of a question, in seconds.
_PAUSES = (0.3, 1.0)
#: In bytes: so much of a log is read at once.
LOG_AT_ONCE = 256 * 1024
_MOST = 4 * 1024 * 1024
_ITEM = re.compile(r"/queue/item/(\d{1,18})/?$")
_WORDS = {
    401: "Jenkins does not know us: check user and token of [jenkins]",
    403: "Jenkins does not let this user do that: check the permissions of that user",
    404: "Jenkins has no such thing, or hides it from this user",
}


class JenkinsError(ActionFailed):
    """Jenkins did not do what was asked for, in a sentence for the person who asked."""


class UncertainError(JenkinsError):
    """It is not known whether Jenkins has taken what was sent."""


class Answer:
    """An answer of Jenkins, read whole."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class JenkinsClient:
    """Calls one Jenkins; a question is asked again after a fault, and what changes something is sent once."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        #: The header and the value that Jenkins wants with what is sent, where it has asked for that.
        self._crumb: dict[str, str] = {}

    async def get(self, path: str, **query: str | int) -> Any:  # Any: JSON
        """Return the object at a path of the API; raise JenkinsError."""
        answer = await self._ask(f"{path.rstrip('/')}/api/json", query)
        return _document(answer)

    async def find(self, path: str, **query: str | int) -> Any:  # Any: JSON, or None
        """Return the object at a path, or None where there is none; raise JenkinsError."""
        answer = await self._ask(f"{path.rstrip('/')}/api/json", query, may_be_missing=True)
        return None if answer.status == 404 else _document(answer)

    async def find_stages(self, build: str) -> Sequence[Mapping[str, Any]]:
        """Return the stages of a pipeline's build; empty where it is none, or nobody tells."""
        answer = await self._ask(f"{build}/wfapi/describe", {}, may_be_missing=True)
        if answer.status != 200:
            return []
        return [each for each in _document(answer).get("stages") or () if isinstance(each, dict)]

    async def log(self, build: str, start: int) -> tuple[str, int, bool]:
        """Return the log from a place on, where it goes on, and whether more is to come; raise JenkinsError."""
        answer = await self._ask(f"{build}/logText/progressiveText", {"start": start})
        size = answer.headers.get("X-Text-Size", "")
        end = int(size) if size.isascii() and size.isdigit() else start + len(answer.body)
        return answer.body.decode("utf-8", "replace"), end, answer.headers.get("X-More-Data") == "true"

    async def post(self, path: str, content: Mapping[str, str] | None = None) -> Answer:
        """Send something once; raise JenkinsError, and UncertainError where nobody knows what became of it."""
        answer = await self._send(path, content)
        if answer.status == 403 and not self._crumb and await self._take_crumb():
            answer = await self._send(path, content)  # The first one was refused, and did nothing.
        if answer.status >= 500:
            raise UncertainError(f"Jenkins answered {answer.status}: it is not known whether it did that")
        if answer.status >= 400:
            raise JenkinsError(_refusal(answer))
        return answer

    async def _send(self, path: str, content: Mapping[str, str] | None) -> Answer:
        try:
            # A kept connection that was cut would make the library send it twice.
            headers = {**self._crumb, "Connection": "close"}
            return await self._call("POST", path, data=dict(content or {}), headers=headers)
        except aiohttp.ClientConnectorError as error:
            raise JenkinsError(_unreachable(error)) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            said = "Jenkins did not answer" if isinstance(error, asyncio.TimeoutError) else "the connection broke off"
            raise UncertainError(f"{said}: it is not known whether it did that") from None

    async def _take_crumb(self) -> bool:
        """Fetch what Jenkins wants from those who come without an API token; return whether there is any."""
        answer = await self._ask("crumbIssuer/api/json", {}, may_be_missing=True)
        if answer.status != 200:
            return False
        found = _document(answer)
        field, crumb = found.get("crumbRequestField"), found.get("crumb")
        if not (isinstance(field, str) and isinstance(crumb, str)):
            return False
        self._crumb = {field: crumb}
        return True

    async def _ask(self, path: str, query: Mapping[str, str | int], *, may_be_missing: bool = False) -> Answer:
        for pause in (*_PAUSES, None):
            try:
                answer = await self._call("GET", path, params=query)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                if pause is None:
                    raise JenkinsError(_unreachable(error)) from None
            else:
                if answer.status < 500 or pause is None:
                    break
            await asyncio.sleep(pause or 0)
        if answer.status == 404 and may_be_missing:
            return answer
        if answer.status != 200:
            raise JenkinsError(_refusal(answer))
        return answer

    async def _call(self, method: Literal["GET", "POST"], path: str, **options: Any) -> Answer:
        url = f"{self._url}/{path.lstrip('/')}"
        # A redirect leads to a page to sign in.
        async with self._session.request(method, url, allow_redirects=False, **options) as response:
            body = await response.content.read(_MOST)
            while len(body) < _MOST and (more := await response.content.read(_MOST)):
                body += more
            answer = Answer(response.status, response.headers, body)
        if method == "GET" and 300 <= answer.status < 400:
            raise JenkinsError(_NOT_SIGNED_IN)
        return answer


@asynccontextmanager
async def connected(config: Mapping[str, Any]) -> AsyncIterator[JenkinsClient]:
    """Yield a client by the pack's configuration."""
    user, token = str(config.get("user") or ""), str(config.get("token") or "")
    login = base64.b64encode(f"{user}:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=config["timeout"].total_seconds())
    # A crumb is good together with the cookie that came with it, also where the host is a number. As no redirect is
    # followed, header and cookie go nowhere else.
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(headers=headers, cookie_jar=jar, timeout=timeout, trust_env=True) as session:
        yield JenkinsClient(session, str(config["url"]))


def job_path(written: str) -> str:
    """Return the path of a job: `folder/job/shop`, `job/folder/job/shop` and `folder/shop` are the same one."""
    names = [part for part in written.strip("/").split("/") if part and part != "job"]
    return "/".join(f"job/{quote(unquote(name), safe='')}" for name in names)


def item_of(answer: Answer) -> int | None:
    """Return the id of the queue item that was made; None: the answer does not tell."""
    found = _ITEM.search(answer.headers.get("Location", ""))
    return int(found[1]) if found else None


def parameters_of(job: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the definitions of a job's parameters."""
    return [
        each
        for one in job.get("property") or ()
        if isinstance(one, dict)
        for each in one.get("parameterDefinitions") or ()
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]


def _document(answer: Answer) -> Any:  # Any: JSON
    import json

    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    is_page = b"<html" in answer.body[:4096].lower()
    raise JenkinsError(_NOT_SIGNED_IN if is_page else "the answer of Jenkins cannot be read")


def _refusal(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return _NOT_SIGNED_IN
    return _WORDS.get(answer.status, f"Jenkins refused it: {answer.status}")


def _unreachable(error: BaseException) -> str:
    if isinstance(error, asyncio.TimeoutError):
        return "Jenkins does not answer in time"
    return f"Jenkins cannot be reached: {type(error).__name__}"


_NOT_SIGNED_IN = "not signed in: Jenkins shows a page to sign in. Check user, token and url of [jenkins]"
