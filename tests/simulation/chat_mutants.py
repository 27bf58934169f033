"""Faults to plant in what takes commands: each must be found by a law of commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from slack_alert.core.commands import queue
from slack_alert.core.commands.decision import Decider
from slack_alert.core.model.audit import AuditEntry, AuditHead
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.commands import commands
from slack_alert.engine.commands.answers import Answers
from slack_alert.engine.commands.commands import Commands
from slack_alert.engine.commands.intake import ChatIntake
from slack_alert.engine.requests.inbound_ids import InboundIds
from slack_alert.stores.sql import audit


def _ids_end_with_the_program() -> None:
    """What came before a kill is not known when it comes again."""
    InboundIds.restore = lambda _, __: None  # type: ignore[method-assign,assignment]


def _acknowledged_before_it_is_kept() -> None:
    """A door acknowledges what nothing has kept yet."""
    import asyncio

    take = ChatIntake.take

    async def early(self: ChatIntake, said: Any) -> None:
        asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(take(self, said)))

    ChatIntake.take = early  # type: ignore[method-assign]


def _starts_are_not_kept() -> None:
    """A function is called before its start is committed."""

    def early(recorder: Any, batch: Batch, runs: Any, then: Any = None) -> None:
        if then is not None:
            then()
        recorder.submit(batch)

    commands.submit_with_starts = early  # type: ignore[attr-defined]


def _nothing_expires() -> None:
    """What comes late runs."""
    commands.EXPIRES = timedelta(days=1000)


def _everybody_may() -> None:
    """No right is looked at."""
    Decider._denied = lambda *_: None  # type: ignore[method-assign]


def rights_are_looked_at_once() -> None:
    """What has waited, or is for later, begins whatever its rights have become."""
    denied = Decider._denied

    def once(self: Decider, asked: Any, *words: Any) -> Any:
        return None if asked.run else denied(self, asked, *words)

    Decider._denied = once  # type: ignore[method-assign,assignment]


def _queues_have_no_limit() -> None:
    """All runs of a queue begin at once."""
    queue.LIMIT = 1000


def _locks_are_open() -> None:
    """A run begins beside another that has its lock."""
    take = queue._Line._take
    queue._Line._take = lambda self, run: take(self, replace(run, lock=""))  # type: ignore[method-assign]


def _last_in_first_out() -> None:
    """Whoever asked last is the next."""
    rank = queue._rank

    def last(run: queue.QueuedRun) -> Any:
        at, is_later, number = rank(run)
        return (-at.timestamp(), is_later, -number)

    queue._rank = last


def _canceled_ones_stay_in_line() -> None:
    """What is canceled before it begins is answered, and runs."""
    cancel = Commands._cancel

    def kept(self: Commands, number: int, by: str) -> None:
        one = self._open.get(number)
        if one is not None and one.run is None:
            return
        cancel(self, number, by)

    Commands._cancel = kept  # type: ignore[method-assign]


def _nobody_is_asked_to_end() -> None:
    """A run that is canceled does not learn of it."""
    cancel = Commands._cancel

    def silent(self: Commands, number: int, by: str) -> None:
        cancel(self, number, by)
        if (one := self._open.get(number)) is not None and one.run is not None:
            one.run.progress.is_canceled = False

    Commands._cancel = silent  # type: ignore[method-assign]


def _refusals_are_not_audited() -> None:
    """Of what does not run nothing is in the audit."""
    refuse = Commands._refuse

    def silent(self: Commands, asked: Any, refused: Any, then: Any = None) -> None:
        end_of = self._end_of
        self._end_of = lambda *words: _without_audit(end_of(*words))  # type: ignore[method-assign]
        try:
            refuse(self, asked, refused, then)
        finally:
            del self._end_of

    Commands._refuse = silent  # type: ignore[method-assign]


def _without_audit(batch: Batch) -> Batch:
    batch.audit = []
    return batch


def _ends_are_not_told() -> None:
    """The message about a run that was cut off stays as it is."""
    ended = Answers.ended

    def silent(self: Answers, *words: Any, **named: Any) -> Any:
        return [] if str(named["state"]) == "interrupted" else ended(self, *words, **named)

    Answers.ended = silent  # type: ignore[method-assign]


def _an_entry_is_not_chained() -> None:
    """Some entries of the audit are chained to none."""
    chained = audit.chained  # type: ignore[attr-defined]

    def apart(key: bytes, last: AuditHead | None, number: int, entry: AuditEntry) -> Any:
        return chained(key, last if number % 7 else None, number, entry)

    audit.chained = apart  # type: ignore[attr-defined]


CHAT_MUTANTS: Mapping[str, Callable[[], None]] = {
    "ids_end_with_the_program": _ids_end_with_the_program,
    "acknowledged_before_it_is_kept": _acknowledged_before_it_is_kept,
    "starts_are_not_kept": _starts_are_not_kept,
    "nothing_expires": _nothing_expires,
    "everybody_may": _everybody_may,
    "queues_have_no_limit": _queues_have_no_limit,
    "locks_are_open": _locks_are_open,
    "last_in_first_out": _last_in_first_out,
    "canceled_ones_stay_in_line": _canceled_ones_stay_in_line,
    "nobody_is_asked_to_end": _nobody_is_asked_to_end,
    "refusals_are_not_audited": _refusals_are_not_audited,
    "ends_are_not_told": _ends_are_not_told,
    "an_entry_is_not_chained": _an_entry_is_not_chained,
}
