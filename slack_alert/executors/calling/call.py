"""Call a plugin function and turn everything that happens into a result; no exception escapes."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from datetime import timedelta
from time import perf_counter
from typing import Any

from slack_alert.core.content.markup import Markup
from slack_alert.core.content.measurements import ITSELF, numbers_of
from slack_alert.core.content.render import Piece, is_quiet
from slack_alert.core.content.values.unsayable import check_sayable
from slack_alert.core.content.values.unwrap import is_items, unwrapped
from slack_alert.core.errors import ActionFailed
from slack_alert.core.model.run import Action, Failure, Result, Run, output_of
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.sensors import is_named_event
from slack_alert.engine.ports import Clock, RunHost
from slack_alert.executors.calling.awaiting import (
    Bridge,
    await_fully,
    bridge_for,
    close,
    is_pending,
    iterate,
    run_on_new_loop,
)
from slack_alert.executors.calling.failures import failure_of
from slack_alert.executors.calling.output import current
from slack_alert.executors.calling.rendering import Numbers, Render


class Caller:
    """Calls functions with the arguments they take and renders their values; used on any thread or loop."""

    def __init__(self, clock: Clock, render: Render, bridge: Bridge = run_on_new_loop) -> None:
        self._clock = clock
        self.render = render
        #: Awaits what a plain function returns to be awaited.
        self._bridge = bridge

    def call(self, run: Run, host: RunHost) -> Result:
        """Call a plain function to its end."""
        token = current.set(run)
        run.progress.started = self._clock.now()
        begun = perf_counter()
        try:
            function = run.action.function
            assert function is not None, "only executed modules are run"
            takes = run.action.takes_context or run.event is not None or run.arguments
            value = self._started(function, run, host) if takes else function()
            if value is None:  # As for most runs.
                return Result((), None, _since(begun))
            # The type is checked first: the truth value of a library's object may raise.
            if type(value) in _PLAIN and not _is_outcome(run, value):
                if not value:
                    return Result((), None, _since(begun), None, _ZERO.get(type(value)))
                return Result(self._rendered(run, host, value), None, _since(begun), None, self.render.numbers(value))
            numbers: Numbers = None
            if is_pending(value):
                value, numbers = bridge_for(value, self._bridge)(run, self._awaited(run, host, value))
            if isinstance(value, Generator):
                numbers = self._drain(run, host, value)
                value = None
            return self._ended_with(run, host, value, numbers, begun)
        except BaseException as error:  # noqa: BLE001 - a plugin's SystemExit must not end the program
            return self._failed(run, error, begun)
        finally:
            self._clear_up(run, host)
            current.reset(token)

    async def await_(self, run: Run, host: RunHost) -> Result:
        """Await a coroutine function, or an asynchronous generator, to its end."""
        token = current.set(run)
        run.progress.started = self._clock.now()
        begun = perf_counter()
        try:
            function = run.action.function
            assert function is not None, "only executed modules are run"
            takes = run.action.takes_context or run.event is not None or run.arguments
            value = self._started(function, run, host) if takes else function()
            value, numbers = await self._awaited(run, host, value)
            if isinstance(value, Generator):
                numbers = await self._drained(run, host, value)
                value = None
            return self._ended_with(run, host, value, numbers, begun)
        except BaseException as error:  # noqa: BLE001 - as above; a cancelled run is a failure with that name
            return self._failed(run, error, begun)
        finally:
            self._clear_up(run, host)
            current.reset(token)

    def _failed(self, run: Run, error: BaseException, begun: float) -> Result:
        if run.progress.output is not None:
            run.progress.output.drop_values()
        return Result(failure=self.render.failure(error, run.action), duration=_since(begun))

    def _clear_up(self, run: Run, host: RunHost) -> None:
        if (output := run.progress.output) is not None:
            output.end()
        if run.action.takes_context:
            host.ended(run)

    async def _awaited(self, run: Run, host: RunHost, value: object) -> tuple[object, Numbers]:
        """Return the value left when everything is awaited, and the numbers of what was posted already."""
        value = await await_fully(run, value)
        return (None, await self._drained(run, host, value)) if isinstance(value, AsyncIterable) else (value, None)

    def _drain(self, run: Run, host: RunHost, values: Generator[object, Any, Any]) -> Numbers:
        output_of(run).values = values
        numbers: Numbers = None
        with closing(values):  # What it has in `finally` is done, whatever ends it.
            for one in values:
                if is_pending(one):
                    one, more = bridge_for(one, self._bridge)(run, self._awaited(run, host, one))  # noqa: PLW2901 - the same value
                    numbers = _both(numbers, more)
                    output_of(run).values = values
                numbers = self._tell(run, host, one, numbers)
                if run.progress.is_canceled:
                    values.close()
        return numbers

    async def _drained(self, run: Run, host: RunHost, values: Any) -> Numbers:  # Any: two kinds of generators
        output_of(run).values = values
        numbers: Numbers = None
        async with aclosing(iterate(values)) as ones:
            async for one in ones:
                given, more = await self._awaited(run, host, one)
                output_of(run).values = values
                numbers = self._tell(run, host, given, _both(numbers, more))
                if run.progress.is_canceled:
                    await close(values)
                    break
        return numbers

    def _ended_with(self, run: Run, host: RunHost, value: object, numbers: Numbers, begun: float) -> Result:
        """Return the result of a run whose value needs no more waiting."""
        if _is_outcome(run, value):
            value = _value_of(value)
        if value is None:
            return Result((), None, _since(begun), None, numbers)
        if isinstance(value, BaseException):  # Returned instead of raised.
            return Result(failure=self.render.failure(value, run.action), duration=_since(begun))
        value = value if run.emits else unwrapped(value)
        return Result(self._rendered(run, host, value), None, _since(begun), None, self.render.numbers(value))

    def _tell(self, run: Run, host: RunHost, value: object, numbers: Numbers) -> Numbers:
        """Post a yielded value; of numbers with the same name the last counts."""
        value = value if run.emits else unwrapped(value)
        if rendered := self._rendered(run, host, value):
            host.say(run, rendered)
        return _both(numbers, self.render.numbers(value))

    def _rendered(self, run: Run, host: RunHost, value: object) -> tuple[Piece, ...]:
        """Return the pieces of a value; a sensor has none, because its items are emitted as events."""
        if not run.emits:
            return self.render(run, value)
        output, is_lazy = run.progress.output, is_items(value)
        fault: TypeError | None = None
        for item in (value,) if is_named_event(run.emits, value) else _items(value):
            if is_quiet(item):
                continue
            try:
                check_sayable(item)
            except TypeError as error:  # It is told once all others are kept: each poll would find it again.
                fault = fault or error
                continue
            host.emit(run, item)
            if is_lazy and output is not None and output.commit is not None:
                output.commit(())  # There may never be a last one; how far it has read is kept after all of them.
        if output is not None and (wait := output.keep_values()) is not None:
            wait()
        if fault is not None:
            raise fault
        return ()

    def _started(self, function: Callable[..., Any], run: Run, host: RunHost) -> object:
        """Call a function with what was typed, the fields of the event, and the context."""
        context = {"ctx": host.context(run)} if run.action.takes_context else {}
        fields: Mapping[str, object] = {}
        if run.event is not None and not run.collected:
            from slack_alert.core.rules.parameters import parameters_of

            fields = parameters_of(run.action, run.event)
        if run.arguments is None:
            return function(**fields, **context)
        from slack_alert.executors.calling.typed_arguments import bind_arguments

        positional, named = bind_arguments(run.action, run.arguments, {**fields, **context})
        return function(*positional, **named)


def _is_outcome(run: Run, value: object) -> bool:
    """Return whether a function of a pack says by its value whether it has succeeded: `(False, "no such host")`."""
    if run.action.pack is None or type(value) is not tuple or run.emits:
        return False
    return len(value) == 2 and type(value[0]) is bool


def _value_of(outcome: Any) -> object:  # Any: of a bool and of a value of any type
    succeeded, value = outcome
    return value if succeeded else ActionFailed("" if value is None else str(value))


def _both(numbers: Numbers, more: Numbers) -> Numbers:
    return {**(numbers or {}), **more} if more else numbers


def _items(value: Any) -> Iterable[Any]:
    """Return the items that a sensor noticed; those of an iterator as they come."""
    is_lazy = is_items(value)
    found: Iterable[Any] = value if is_lazy else unwrapped(value)
    return found if is_lazy or (isinstance(found, _SEVERAL) and not hasattr(found, "_fields")) else (found,)


_SEVERAL = (list, tuple, set, frozenset)
#: Types whose empty values are quiet without rendering, and the numbers they measure then.
_PLAIN = frozenset({bool, int, str, list, tuple, dict, float})
_ZERO: dict[type, Numbers] = {int: {ITSELF: 0}, float: {ITSELF: 0.0}}


class DraftRender(Render):
    """Renders where no secret is known: layout, redaction and cutting are left to the process that knows them."""

    def __init__(self, mark: Markup) -> None:
        super().__init__(mark, Redaction())

    def __call__(self, run: Run, value: object) -> tuple[Piece, ...]:
        """Return the pieces of a value before layout."""
        return self.draft(run, value)

    def numbers(self, value: object) -> Numbers:
        """Return the numbers of a value under their own names."""
        return numbers_of(value)

    def failure(self, error: BaseException, action: Action) -> Failure:
        """Return an exception as a failure of full length."""
        return failure_of(error, action)


def _since(begun: float) -> timedelta:
    return timedelta(0, perf_counter() - begun)  # seconds; the keyword would take half as long again
