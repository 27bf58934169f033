"""Call DingTalk: the webhooks of robots, and the API of apps with an access token that is renewed in time."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from slack_alert.channels.dingtalk.access import DingTalkAccess, opened, proxy_for
from slack_alert.channels.dingtalk.errors import DingTalkRefusal, broken_off, judge_app, unreachable
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import PrivateStruct
from slack_alert.engine.ports import Clock
from slack_alert.engine.system.descriptors import spare_descriptors

if TYPE_CHECKING:
    from aiohttp import ClientSession

#: Of a call, in seconds.
TIMEOUT = 15.0
#: In bytes: a longer answer is not DingTalk's.
_MOST = 256 * 1024
#: A token is asked for anew so many seconds before its end.
_MARGIN = 300.0
_DEFAULT_LIFE = 7200


class DingTalkClient:
    """Calls DingTalk over kept-alive connections; to be used from one event loop."""

    def __init__(self, access: DingTalkAccess, *, timeout: float = TIMEOUT) -> None:
        self._access = access
        self._timeout = timeout
        self._session: ClientSession | None = None

    async def open(self) -> None:
        """Import the library without calling anybody; raise BadValue for a bad `ca_file`."""
        if self._session is None:
            await asyncio.to_thread(importlib.import_module, "aiohttp")
        if self._session is None:  # Others may have opened it meanwhile.
            self._session = opened(self._access, self._timeout)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self, method: Literal["POST", "PUT"], url: str, content: object, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, object] | None]:
        """Return the status and the object of an answer, None for any other body; raise DingTalkRefusal for none."""
        await self.open()
        session = self._session
        assert session is not None, "it was opened"
        import aiohttp

        try:
            with spare_descriptors():
                # A redirect would take a token elsewhere.
                async with session.request(
                    method,
                    url,
                    json=content,
                    headers=headers,
                    proxy=proxy_for(self._access, url),
                    allow_redirects=False,
                ) as response:
                    return response.status, _object(await response.content.read(_MOST))
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL, aiohttp.ClientHttpProxyError) as error:
            # The error's own text is not used: it may quote a token, or a proxy's password.
            lack = machine_lack(getattr(error, "certificate_error", None) or error.__cause__ or error)
            raise DingTalkRefusal(unreachable(error, lack.rstrip("."))) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise DingTalkRefusal(broken_off(error)) from None


class AppIdentity(PrivateStruct, frozen=True):
    """An app, and where it is served."""

    hidden = frozenset({"client_secret"})

    client_id: str
    client_secret: str
    api_url: str


class AppClient:
    """Calls the API of one app."""

    def __init__(self, client: DingTalkClient, clock: Clock, app: AppIdentity) -> None:
        self._client = client
        self._clock = clock
        self._app = app
        self._api_url = app.api_url.rstrip("/")
        #: The token, and until when it is used by monotonic time.
        self._token: tuple[str, float] | None = None
        self._asking = asyncio.Lock()

    async def call(self, method: Literal["POST", "PUT"], path: str, content: object) -> Mapping[str, object]:
        """Return the answer to a call; raise DingTalkRefusal. A token that is refused is renewed once."""
        try:
            return await self._try(method, path, content)
        except DingTalkRefusal as refused:
            if not refused.is_token:
                raise
        self._token = None
        return await self._try(method, path, content)

    async def check(self) -> None:
        """Ask for a token; raise DingTalkRefusal where there is none."""
        await self._access_token()

    async def _try(self, method: Literal["POST", "PUT"], path: str, content: object) -> Mapping[str, object]:
        headers = {"x-acs-dingtalk-access-token": await self._access_token()}
        status, said = await self._client.call(method, f"{self._api_url}{path}", content, headers)
        if (refusal := judge_app(status, said)) is not None:
            raise refusal
        return said or {}

    async def _access_token(self) -> str:
        async with self._asking:
            if self._token is None or self._clock.monotonic() >= self._token[1]:
                self._token = await self._new_token()
            return self._token[0]

    async def _new_token(self) -> tuple[str, float]:
        asked = {"appKey": self._app.client_id, "appSecret": self._app.client_secret}
        try:
            status, said = await self._client.call("POST", f"{self._api_url}/v1.0/oauth2/accessToken", asked)
        except DingTalkRefusal as refused:
            raise _not_sent(refused) from None
        if (refusal := judge_app(status, said)) is not None:
            raise _not_sent(refusal)
        token, life = (said or {}).get("accessToken"), (said or {}).get("expireIn", _DEFAULT_LIFE)
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise DingTalkRefusal(SendResult(SendStatus.RETRY, reason="unreadable answer"))
        lasting = life if isinstance(life, int) and not isinstance(life, bool) else _DEFAULT_LIFE
        return token, self._clock.monotonic() + max(lasting - _MARGIN, 1.0)


def _not_sent(refused: DingTalkRefusal) -> DingTalkRefusal:
    """Return the same for a step that posts nothing: nothing is in doubt, and no other token helps."""
    outcome = refused.outcome
    if outcome.status is SendStatus.WAIT:
        return DingTalkRefusal(outcome)
    return DingTalkRefusal(SendResult(SendStatus.RETRY, None, outcome.reason, outcome.is_answer, outcome.hint))


def _object(body: bytes) -> Mapping[str, object] | None:
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
