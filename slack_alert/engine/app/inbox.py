"""Polls the inbox for requests that other processes leave, has them applied, and removes them once committed."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.errors import SetAside, StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.message import Notice
from slack_alert.core.model.request import AskLine, Request
from slack_alert.engine.app.components import Chat, Components
from slack_alert.engine.requests.apply import MUTES_PACK

log = logging.getLogger(__name__)

#: The door of people at a terminal, and the channel of their answers.
TERMINAL = "terminal"

#: What may be done by those only who have the right to it.
_OF_PEOPLE = frozenset({"line", "cancel"})
#: The kind of requests whose senders wait, and how long after one the next is expected, in seconds.
_AWAITED, _EXPECTED_SECONDS = "keep", 1.0
#: How long applying a request takes at most.
_TAKEN_WITHIN = timedelta(milliseconds=1)


class InboxPoller:
    """Polls the inbox for requests and applies them; used on the main loop."""

    def __init__(
        self, components: Components, errors_to: Address, open_chat: Callable[[], Chat | None] = lambda: None
    ) -> None:
        self._components = components
        #: Returns what takes commands, or None.
        self._open_chat = open_chat
        self._errors_to = errors_to
        #: Why the inbox is not readable, logged once; None while it is.
        self._trouble: str | None = None
        #: Notices about it, to be posted once the engine has begun.
        self._untold: list[str] = []
        #: The last request that was applied.
        self._taken = components.snapshot.taken
        #: Until when another request is expected whose sender waits for it, in monotonic time.
        self._expected_until = float("-inf")
        #: Committed requests that are still in the inbox; the writer's thread adds to them.
        self._done: deque[int] = deque()

    def discard_applied(self) -> None:
        """Remove requests that were applied before this start; an unreadable inbox does not stop the start."""
        try:
            self._forget([request.id for request in self._components.stores.inbox.peek() if request.id <= self._taken])
        except StoreError as error:
            self._note(error)

    @property
    def is_awaited(self) -> bool:
        """Whether other processes set values one after the other, and wait for each."""
        return self._components.clock.monotonic() < self._expected_until

    def poll(self) -> None:
        """Apply the waiting requests; an unreadable inbox is logged and read again the next time."""
        try:
            self.remove_applied()
            self.apply_all()
        except StoreError as error:
            self._note(error)
        else:
            self._recover()
        self._tell()

    def _note(self, error: StoreError) -> None:
        """Log an error, once while it stays the same."""
        if isinstance(error, SetAside):
            log.error("the inbox was damaged", extra={"reason": str(error)})
            self._untold.append(str(error))
        elif self._trouble != str(error):
            self._trouble = str(error)
            log.warning("inbox not readable", extra={"reason": self._trouble})

    def _recover(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            log.info("inbox readable again")

    def _tell(self) -> None:
        now = self._components.clock.now()
        for number, text in enumerate(self._untold):
            self._components.engine.notify(Notice("inbox", f"{now.isoformat()}/{number}"), text, self._errors_to)
        self._untold.clear()

    def apply_all(self) -> None:
        """Apply the waiting requests; a request is committed before it is removed from the inbox."""
        left = [request for request in self._components.stores.inbox.peek() if request.id > self._taken]
        # One instant for all, by which the last is applied: requests left together begin and end together.
        now = self._components.clock.now() + len(left) * _TAKEN_WITHIN
        for request in left:
            # First of all: a request that cannot be applied must not block those behind it.
            self._taken = request.id
            try:
                self._take(request, now)
            except Exception:
                log.exception("request left out", extra={"kind": request.kind, "request": request.id})
                self._done.append(request.id)

    def remove_applied(self) -> None:
        """Remove committed requests, all at once: every removal waits for the disk."""
        if ids := [self._done.popleft() for _ in range(len(self._done))]:
            self._forget(ids)

    def _take(self, request: Request, now: datetime) -> None:
        if request.kind in _OF_PEOPLE and (exposure := self._components.stores.exposure()):
            self._turn_away(request, exposure)
            return
        if request.kind == "line":
            self._ask(request)
            return
        if request.kind == _AWAITED:
            self._expected_until = self._components.clock.monotonic() + _EXPECTED_SECONDS
        batch = self._components.engine.handle(request, partial(self._done.append, request.id), now=now)
        for entry in (each for each in batch.entries if each.pack == MUTES_PACK):
            self._components.accept_mute(entry)
        self._components.sender.forget(batch.dropped)

    def _ask(self, request: Request) -> None:
        """Pass on what somebody asks for at a terminal; the request's id keeps it from being taken twice."""
        line, done = request.asked(), partial(self._done.append, request.id)
        assert isinstance(line, AskLine), "its kind says so"
        if self._open_chat() is None:
            done()
            return
        to = ReplyTo(Address(TERMINAL, line.session))
        by = Identity("cli", "", line.user, line.user)
        asked = AskedCommand((f"inbox/{request.id}",), request.at, by, to, line.text, TERMINAL)
        self._components.engine.handle(asked, done)

    def _turn_away(self, request: Request, exposure: str) -> None:
        """Leave out what anybody could have asked for in another's name; a terminal is told why."""
        log.error("nobody is known by the inbox", extra={"kind": request.kind, "reason": exposure})
        asked = request.asked()
        if isinstance(asked, AskLine):
            text = f"not run: {exposure}"
            self._components.engine.notify(Notice("exposed", str(request.id)), text, Address(TERMINAL, asked.session))
        self._done.append(request.id)

    def _forget(self, ids: Sequence[int]) -> None:
        """Remove applied requests from the inbox; any that cannot be removed are skipped from now on."""
        try:
            self._components.stores.inbox.remove(ids)
        except StoreError as error:
            log.warning("inbox not writable", extra={"reason": str(error)})
