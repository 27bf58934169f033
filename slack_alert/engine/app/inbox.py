"""What other processes leave for the running program: carried out, committed, and taken out of the inbox."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from slack_alert.core.errors import SetAside, StoreError
from slack_alert.core.model.address import Address
from slack_alert.engine.app.components import Components
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Request
from slack_alert.engine.requests.apply import carry_out
from slack_alert.engine.requests.external_runs import named

log = logging.getLogger(__name__)

#: So long it takes at most to take one request out of the inbox.
_TAKEN_WITHIN = timedelta(milliseconds=1)


class InboxPoller:
    """The owner's side of the inbox."""

    def __init__(self, parts: Components, errors_to: Address) -> None:
        self._parts = parts
        self._errors_to = errors_to
        #: What is wrong with the inbox, told once; None while all is well.
        self._trouble: str | None = None
        #: What people are to be told of it as soon as the engine has begun.
        self._untold: list[str] = []
        #: The last request that was carried out.
        self._taken = parts.snapshot.taken
        #: Requests that are committed and still lie in the inbox; the writer's thread adds to them.
        self._done: deque[int] = deque()

    def discard_applied(self) -> None:
        """Take out what was carried out before this start; an inbox that cannot be read keeps nobody from starting."""
        try:
            self._forget([request.id for request in self._parts.inbox.peek() if request.id <= self._taken])
        except StoreError as error:
            self._note(error)

    def poll(self) -> None:
        """Carry out what is there; an inbox that cannot be read is told of, and looked into again."""
        try:
            self.forget_done()
            self.apply_all()
        except StoreError as error:
            self._note(error)
        else:
            self._recover()
        self._tell()

    def _note(self, error: StoreError) -> None:
        """Log what is wrong, once while it stays the same."""
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
        now = self._parts.clock.now()
        for number, text in enumerate(self._untold):
            self._parts.engine.tell(f"inbox/{now.isoformat()}/{number}", text, self._errors_to)
        self._untold.clear()

    def apply_all(self) -> None:
        """Carry out what other processes left; each request is committed before it leaves the inbox."""
        left = [request for request in self._parts.inbox.peek() if request.id > self._taken]
        # One instant for all, by when the last one counts: what was asked for together begins and ends together.
        now = self._parts.clock.now() + len(left) * _TAKEN_WITHIN
        for request in left:
            # First of all: one that cannot be carried out must not keep back those behind it.
            self._taken = request.id
            try:
                self._take(request, now)
            except Exception:
                log.exception("request left out", extra={"kind": request.kind, "request": request.id})
                self._done.append(request.id)

    def forget_done(self) -> None:
        """Take out all at once what was committed since: each removal waits for the disk."""
        if ids := [self._done.popleft() for _ in range(len(self._done))]:
            self._forget(ids)

    def _take(self, request: Request, now: datetime) -> None:
        parts = self._parts
        request = named(request, lambda: [job_state.job.name for job_state in parts.engine.jobs()])
        batch = carry_out(request, parts.engine.next_id, parts.engine.restate, parts.judge, now=now)
        if request.kind == "ack":
            batch.messages += [shown for name in batch.states for shown in parts.engine.acknowledgement(name)]
        self._heed(batch)
        parts.writer.submit(batch, partial(self._done.append, request.id))

    def _heed(self, batch: Batch) -> None:
        """Let what another process changed count at once, not only after a restart."""
        for job, hold in batch.holds.items():
            self._parts.engine.pause(job, hold)
        for entry in batch.entries:
            self._parts.accept_entry(entry)
        self._parts.sender.forget(batch.dropped)
        for event in batch.events:
            self._parts.engine.notice(event)

    def _forget(self, ids: Sequence[int]) -> None:
        """Take requests that were carried out out of the inbox; one that stays there is passed over from now on."""
        try:
            self._parts.inbox.remove(ids)
        except StoreError as error:
            log.warning("inbox not writable", extra={"reason": str(error)})
