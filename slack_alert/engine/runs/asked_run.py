"""The host of a run that a person asked for: it keeps what the run says and returns, and always has an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from slack_alert.core.content.pieces import Piece
from slack_alert.core.events import Emitted
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Message
from slack_alert.core.model.record import Record
from slack_alert.core.model.run import QUIET, Result, Run
from slack_alert.core.pipeline.messages import as_text, messages
from slack_alert.core.pipeline.settle import Settlement
from slack_alert.core.policy.quota import Pause
from slack_alert.core.sensors import noticed_event
from slack_alert.core.structs import replace
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.context.emitting import emitted_by
from slack_alert.engine.runs.run_records import asked_record, joined


class AskedRunHost:
    """Keeps the messages and the result of one run; pauses and events go to `hold` and `emit_event` at once."""

    def __init__(
        self,
        to: Address,
        services: ContextServices,
        *,
        hold: Callable[[str, Pause | None], None],
        emit_event: Callable[[Emitted], object],
    ) -> None:
        self.hold = hold
        self.messages: list[Message] = []
        self.result: Result = QUIET
        self._to = to
        self._services = services
        self._emitted = emit_event
        self._texts: list[str] = []

    def done(self, run: Run, result: Result) -> None:  # noqa: ARG002 - there is one run
        """Keep the result."""
        self.result = result

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Keep the messages."""
        told = messages(run.posts, pieces, to or self._to)
        run.progress.posts = replace(run.posts, said=run.posts.said + len(told))
        self._texts.append(as_text(pieces, run.binding))
        self.messages.extend(told)

    def emit(self, run: Run, value: object) -> None:
        """Pass the event on."""
        name, fields = noticed_event(run.emits, value)
        self._emitted(Emitted(name, self._services.now(), fields))

    def emit_event(self, run: Run, name: str, fields: Mapping[str, object]) -> None:
        """Pass an event of any name on."""
        self._emitted(emitted_by(run, name, fields, self._services.now()))

    def context(self, run: Run) -> Context:
        """Return the context of the run."""
        return Context(run, self._services, self)

    def ended(self, run: Run) -> None:
        """End the subprocesses of the run."""
        self._services.children.terminate(run.id)

    def record(self, run: Run, settlement: Settlement, told: Iterable[Message]) -> Record:
        """Return the record of the run; `told` are its messages."""
        text, said = joined(self._texts, settlement.text), joined(self._texts, settlement.own_text)
        return asked_record(run, self.result, settlement, told, text, said)
