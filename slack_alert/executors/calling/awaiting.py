"""Await what a function returns, whatever kind of function it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Generator
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeVar

from slack_alert.core.model.run import Run, output_of

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

#: Runs a coroutine to its end for the calling thread.
Bridge = Callable[[Run, Coroutine[Any, Any, Any]], Any]  # Any: whatever the coroutine returns

#: Types whose values need not be awaited, without a closer check.
_FINISHED = frozenset({str, int, float, bool, type(None), bytes, list, tuple, dict, set, frozenset})
#: The most times in a row that an awaited value may itself be awaitable.
_MOST = 20


def is_pending(value: object) -> bool:
    """Return whether a value has to be awaited before it can be rendered."""
    if type(value) in _FINISHED:
        return False
    return isawaitable(value) or isinstance(value, AsyncIterable) or _is_future(value)


async def await_fully(run: Run, value: Any) -> Any:
    """Return the value that is left when everything is awaited: a plain value, or an asynchronous iterator."""
    for _ in range(_MOST):
        if isinstance(value, AsyncIterable) or not is_pending(value):
            return value
        output_of(run).values = value
        value = await (_wrapped(value) if _is_future(value) else value)
    raise TypeError(f"returned what gives something to await each time it is awaited ({type(value).__name__})")


async def iterate(values: Any) -> AsyncGenerator[Any, None]:
    """Yield the values of a generator or of an asynchronous iterator."""
    if isinstance(values, Generator):
        for one in values:
            yield one
    else:
        async for one in values:
            yield one


async def close(values: Any) -> None:
    """Close a generator whose other values are not needed."""
    if isinstance(values, Generator):
        values.close()
    elif isinstance(values, AsyncGenerator):
        await values.aclose()


def bridge_for(value: Any, bridge: Bridge) -> Bridge:
    """Return the bridge that can await this value: a future belongs to its own loop."""
    if not hasattr(type(value), "_asyncio_future_blocking"):
        return bridge
    loop = value.get_loop()
    if loop.is_running():
        return loop_bridge(loop)
    return bridge if loop.is_closed() else lambda _, coroutine: loop.run_until_complete(coroutine)


def loop_bridge(loop: asyncio.AbstractEventLoop) -> Bridge:
    """Return a bridge that runs coroutines on a loop of another thread."""

    def bridge(run: Run, coroutine: Coroutine[Any, Any, T]) -> T:
        import asyncio

        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        # Giving up the run calls this, which also ends the wait.
        output = output_of(run)
        output.cancel = future.cancel
        if run.progress.is_canceled:  # Given up before `cancel` was set.
            future.cancel()
        try:
            return future.result()
        finally:
            output.cancel = None

    return bridge


def run_on_new_loop(_: Run, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new loop, on this thread."""
    # Most functions do not need asyncio, and a process starts a fifth faster without it.
    from slack_alert.engine.system.loop_runner import run_to_end

    return run_to_end(coroutine)


def _is_future(value: object) -> bool:
    """Return whether this is a future of `concurrent.futures`, which a coroutine cannot await directly."""
    return any(cls.__module__ == "concurrent.futures._base" and cls.__name__ == "Future" for cls in type(value).__mro__)


def _wrapped(value: Any) -> Awaitable[Any]:
    import asyncio

    return asyncio.wrap_future(value)
