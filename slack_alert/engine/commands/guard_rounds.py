"""Asks guards, one after the other, before a command is queued; they run on the executor, as all plugin functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from slack_alert.core.commands.command import GUARD_PARAMETERS, Command, Guard
from slack_alert.core.commands.decision import Accepted, Refused
from slack_alert.core.commands.guards import Guarded, changes_of, guarded, guards_of, shown_to_guard, told_changes
from slack_alert.core.commands.permissions import argument_texts
from slack_alert.core.content.pieces import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.quantities import format_duration
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.ports import Clock, Executor
from slack_alert.engine.runs.run_records import log_failure

#: Decides again with other arguments: None as a text takes one out.
Again = Callable[[Accepted, Mapping[str, str | Sequence[str] | None]], Accepted | Refused]
Post = Callable[[Callable[[], object]], None]


class GuardRound(Struct):
    """A command whose guards are being asked, one after the other."""

    asked: AskedCommand
    #: With what the guards before have changed.
    accepted: Accepted
    left: list[Guard]
    again: Again
    then: Callable[[Accepted | Refused], object]


class GuardRounds:
    """Asks the guards of commands; all but the calls of guards happens on the engine's own thread."""

    def __init__(
        self,
        executor: Executor,
        clock: Clock,
        *,
        guards: Callable[[], Sequence[Guard]],
        services: ContextServices,
        post: Post,
        channel_name: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._guards = guards
        self._services = services
        #: Calls on the engine's own thread.
        self._post = post
        #: Returns the name of a conversation, without `#`; empty where it is not known.
        self._channel_name = channel_name
        # Numbers that no run of the store has; -1 stands for no run.
        self._ids = count(-2, -1)

    def guards(self, command: Command) -> list[Guard]:
        """Return the guards of a command, in the order of the files."""
        return guards_of(command, self._guards())

    def ask(self, round_: GuardRound) -> None:
        """Ask the guards that are left, and pass on what has become of the command: it goes on, or is refused."""
        if not round_.left:
            round_.then(round_.accepted)
            return
        guard = round_.left.pop(0)
        if guard.fault:
            said = f"The guard {guard.name} cannot be asked, so this is refused: {guard.fault.rstrip('.')}."
            round_.then(_refused(round_.accepted, said))
            return
        shown = shown_to_guard(round_.accepted.command, round_.accepted.arguments)
        call = _GuardCall(guard.action.function, self._values(round_, shown), guard.action.parameters)
        function = call.awaited if guard.action.is_async else call.called
        run = Run(
            next(self._ids),
            guard.name,
            replace(guard.action, function=function),
            self._clock.now(),
            asked_by=round_.asked.by.key,
            run_options=guard.run_options,
            by=round_.accepted.by,
            reply_to=round_.asked.reply_to.to,
        )
        settle = partial(self._settle, round_, guard, call, shown)
        self._executor.submit([run], _GuardHost(self._services, lambda *ended: self._post(partial(settle, *ended))))

    def _values(self, round_: GuardRound, shown: Mapping[str, object]) -> dict[str, object]:
        """Return what a guard is called with; what it does to the arguments themselves changes nothing."""
        to = round_.asked.reply_to.to
        name = self._channel_name(to.conversation)
        channel = f"#{name}" if name else to.conversation
        copied = {name: list(value) if isinstance(value, list) else value for name, value in shown.items()}
        values = (round_.accepted.by, round_.accepted.command.words, copied, channel)
        return dict(zip(GUARD_PARAMETERS, values, strict=True))

    def _settle(
        self, round_: GuardRound, guard: Guard, call: _GuardCall, shown: Mapping[str, object], run: Run, result: Result
    ) -> None:
        if result.failure is not None:
            log_failure(run, result.failure)
        if refusal := _unanswered(guard, result):
            round_.then(_refused(round_.accepted, refusal))
            return
        command = round_.accepted.command
        before = argument_texts(command, round_.accepted.arguments)
        answer = guarded(guard.name, command.parameters, before, changes_of(call.answer, shown))
        decided = self._decided(round_, guard, answer)
        if isinstance(decided, Refused):
            round_.then(decided)
            return
        round_.accepted = decided
        self.ask(round_)

    def _decided(self, round_: GuardRound, guard: Guard, answer: Guarded) -> Accepted | Refused:
        accepted = round_.accepted
        if answer.refusal:
            return _refused(accepted, answer.refusal)
        if not answer.changed:
            return accepted
        decided = round_.again(accepted, {name: after for name, (_, after) in answer.changed.items()})
        told = told_changes(guard.name, accepted.command.parameters, answer)
        if isinstance(decided, Refused):
            return replace(decided, reason=f"{decided.reason} ({told})")
        return replace(decided, remark="; ".join(filter(None, (accepted.remark, told))))


class _GuardCall:
    """The function of a guard's run: calls the guard with what it takes, and keeps its answer."""

    def __init__(self, function: Callable[..., Any] | None, values: Mapping[str, object], takes: Sequence[str]) -> None:
        assert function is not None, "only executed modules are run"
        self._function = function
        self._values = {name: value for name, value in values.items() if name in takes}
        self.answer: object = RuntimeError("there is no answer")

    def called(self, **context: object) -> object:
        """Call it; what has to be awaited is for the caller to await."""
        try:
            answer = self._function(**self._values, **context)
        except BaseException as error:
            self.answer = error
            raise
        if inspect.isawaitable(answer):
            return self._kept(answer)
        self.answer = answer
        return None

    async def awaited(self, **context: object) -> None:
        """Call it and await its answer."""
        pending = self.called(**context)
        if inspect.isawaitable(pending):
            await pending

    async def _kept(self, pending: Any) -> None:  # Any: whatever can be awaited
        try:
            self.answer = await pending
        except BaseException as error:
            self.answer = error
            raise


class _GuardHost:
    """The host of a guard's run."""

    def __init__(self, services: ContextServices, done: Callable[[Run, Result], object]) -> None:
        self._services = services
        self._done = done

    def done(self, run: Run, result: Result) -> None:
        """Pass on that it has answered."""
        self._done(run, result)

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:  # noqa: ARG002 - as the port has it
        """Raise an error: the command may yet be refused, and its answer is where a guard speaks."""
        raise RuntimeError(f"{run.binding} is a guard, which returns what it has to say")

    def emit(self, run: Run, value: object) -> None:
        """Raise an error: a guard is no sensor."""
        raise AssertionError(f"{run.binding} is no sensor, and emitted {value!r}")

    def emit_event(self, run: Run, name: str, fields: object) -> None:  # noqa: ARG002 - as the port has it
        """Raise an error: a guard only answers."""
        raise RuntimeError(f"a guard only answers, and {run.binding} does not emit {name}")

    def hold(self, name: str, hold: object) -> None:  # noqa: ARG002 - as the port has it
        """Raise an error: a guard only answers."""
        raise RuntimeError(f"a guard only answers, and does not pause {name}")

    def context(self, run: Run) -> Context:
        """Return the context of a run."""
        return Context(run, self._services, self)

    def ended(self, run: Run) -> None:
        """End the subprocesses of a run."""
        self._services.children.terminate(run.id)


def _unanswered(guard: Guard, result: Result) -> str:
    """Return why a guard that did not answer in time refuses; empty where it answered, if only by an exception."""
    if result.failure is None or result.failure.verdict is not Verdict.TIMED_OUT:
        return ""
    limit = guard.run_options.timeout
    took = f"took longer than {format_duration(limit)}" if limit is not None else "took too long"
    return f"The guard {guard.name} {took}, so this is refused."


def _refused(accepted: Accepted, reason: str) -> Refused:
    return Refused(AuditVerdict.REFUSED, reason, words=accepted.words, params=accepted.params)
