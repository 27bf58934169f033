"""Faults to plant in the program, each of which the simulation must find: they show that its laws bite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from slack_alert.channels.slack.channel import SlackChannel
from slack_alert.core.model.message import Delivery
from slack_alert.core.model.record import Record
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.engine.recording.writer import Writer
from slack_alert.engine.runs import recovery
from slack_alert.engine.runs.event_queues import EventQueues
from slack_alert.stores.files.journal import FileJournal


def _no_journal() -> None:
    """Nothing is kept before it is committed, and the journal says that it was."""
    FileJournal._append = lambda _, __: True  # type: ignore[method-assign,assignment]


def _doubt_is_delivery() -> None:
    """What may have arrived counts as sent."""
    send = SlackChannel.send

    async def sent(self: SlackChannel, delivery: Delivery, text: str | None) -> SendResult:
        outcome = await send(self, delivery, text)
        return SendResult(SendStatus.SENT, "C0OPS/1.0") if outcome.status is SendStatus.AMBIGUOUS else outcome

    SlackChannel.send = sent  # type: ignore[method-assign]


def _doubt_is_loss() -> None:
    """What may have arrived is said to be missing, without a look."""

    async def lookup(_: SlackChannel, __: Sequence[Delivery], ___: str | None) -> Mapping[int, str]:
        return {}

    SlackChannel.lookup = lookup  # type: ignore[method-assign,assignment]


def _quiet_rows_later() -> None:
    """Quiet lines are committed after what was said later."""
    commit = Writer._commit

    def apart(self: Writer, group: Any, quiet: list[Record]) -> None:
        if group and quiet:
            commit(self, group, [])
            commit(self, [], quiet)
        else:
            commit(self, group, quiet)

    Writer._commit = apart  # type: ignore[method-assign]


def _interrupted_is_forgotten() -> None:
    """A run that a kill cut off leaves no line."""
    from slack_alert.engine import engine

    found = recovery.recover

    def without(*words: Any, **named: Any) -> list[Record]:
        return found(*words, **{**named, "is_late": True})

    recovery.recover = engine.recover = without  # type: ignore[attr-defined]


def _events_are_forgotten() -> None:
    """Events that wait are gone after a kill."""
    EventQueues.restore = lambda *_: None  # type: ignore[method-assign]


def _values_are_late() -> None:
    """`ctx.store.set` returns before its value is kept anywhere."""
    from slack_alert.bootstrap import runtime
    from slack_alert.engine import durable_values

    write = durable_values.write_durably

    def early(*words: Any) -> Callable[[], None]:
        write(*words)
        return lambda: None

    FileJournal.append = lambda _, __: False  # type: ignore[method-assign,assignment]
    runtime.write_durably = early  # type: ignore[assignment,attr-defined]


MUTANTS: Mapping[str, Callable[[], None]] = {
    "no_journal": _no_journal,
    "doubt_is_delivery": _doubt_is_delivery,
    "doubt_is_loss": _doubt_is_loss,
    "quiet_rows_later": _quiet_rows_later,
    "interrupted_is_forgotten": _interrupted_is_forgotten,
    "events_are_forgotten": _events_are_forgotten,
    "values_are_late": _values_are_late,
}
