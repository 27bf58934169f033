"""The addresses that other systems call: a call is answered once its event is on disk."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from slack_alert.core.events import HookAnswer, HookCall
from slack_alert.core.webhooks import ForgedError, Hook, UnreadableError, read_call
from slack_alert.engine.ports import Clock, WebRequest, WebResponse, WebRoutes

if TYPE_CHECKING:
    from slack_alert.settings.model import HookSection

log = logging.getLogger(__name__)

#: In seconds: how long a caller waits for the disk. What is kept later is known when the caller tries again.
PATIENCE = 8.0
#: The same refusal is logged once in that time: anybody can send requests.
_QUIET = timedelta(hours=1)


def hooks_of(sections: Sequence[HookSection]) -> Iterator[Hook]:
    """Yield each hook at its address; that of a host has a short one where it is the only one."""
    for section in sections:
        base = "/hooks" if section.sender == "webhook" else f"/hooks/{section.sender}"
        secret = section.secret.reveal()
        hook = Hook(
            f"{base}/{section.name}", section.sender, section.name, secret,
            section.header, section.is_signed, section.id_header,
        )  # fmt: skip
        yield hook
        if section.sender != "webhook" and [one.sender for one in sections].count(section.sender) == 1:
            yield Hook(base, section.sender, section.name, secret)


class HandleCall(Protocol):
    """Takes calls of hooks."""

    def __call__(self, event: HookCall, then: Callable[[HookAnswer], object]) -> None:
        """Handle the event of a call; `then` is called on any thread, once it is kept."""


class Webhooks:
    """The hooks of the configuration; to be used from one event loop."""

    def __init__(
        self, hooks: Sequence[Hook], handle: HandleCall, clock: Clock, *, is_behind: Callable[[], bool]
    ) -> None:
        """`is_behind` returns whether so much waits to be written that nothing more should come in."""
        self._hooks = hooks
        self._handle = handle
        self._clock = clock
        self._is_behind = is_behind
        self._logged: dict[str, datetime] = {}

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve."""
        return {("POST", hook.path): partial(self._on_call, hook) for hook in self._hooks}

    async def _on_call(self, hook: Hook, request: WebRequest) -> WebResponse:
        try:
            call = read_call(hook, request.headers, request.body, self._clock.now())
        except ForgedError as error:
            self._warn(hook, str(error))
            return WebResponse(401, b"Nothing shows that you have the secret of this hook.\n")
        except UnreadableError:
            return WebResponse(400, b"The body is neither JSON nor a form.\n")
        if self._is_behind():
            return WebResponse(429, b"Too much waits to be written: try again later.\n")
        answer = await self._kept(call)
        if answer is None:
            log.warning("a hook is answered before its event is on disk", extra={"hook": hook.path})
            return WebResponse(503, b"The event cannot be kept now: try again later.\n")
        if answer.is_refused:
            return WebResponse(409, b"This was sent before, with another body.\n")
        return WebResponse(200, json.dumps({"event": answer.event}).encode() + b"\n", "application/json")

    async def _kept(self, call: HookCall) -> HookAnswer | None:
        """Return what became of a call once that is on disk, or None where it takes too long."""
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[HookAnswer] = loop.create_future()

        def conclude(answer: HookAnswer) -> None:
            if not kept.done():
                kept.set_result(answer)

        self._handle(call, lambda answer: loop.call_soon_threadsafe(conclude, answer))
        done, _ = await asyncio.wait({kept}, timeout=PATIENCE)
        return kept.result() if done else None

    def _warn(self, hook: Hook, reason: str) -> None:
        now = self._clock.now()
        if hook.path not in self._logged or now - self._logged[hook.path] >= _QUIET:
            self._logged[hook.path] = now
            hint = "check that the sender has the secret of this hook, and the clock of this machine"
            log.warning("call of a hook refused", extra={"hook": hook.path, "reason": reason, "hint": hint})
