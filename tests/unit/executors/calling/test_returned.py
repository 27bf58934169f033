"""A returned value is handled by its type: on a puller, on the main loop, and in a process of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.run import Result, Run
from slack_alert.executors.calling.awaiting import loop_bridge
from slack_alert.executors.direct import DirectExecutor
from slack_alert.executors.pool import PoolExecutor
from tests.fakes.returned import EXPECTED, SOURCE
from tests.fakes.rows import in_turn
from tests.fakes.stage import Stage, plugin, run_of

PATIENCE = 20
job = plugin(SOURCE)


@pytest.fixture(autouse=True)
def _loops() -> Iterator[None]:
    """Close loops that a function would leave open."""
    yield
    while loops := job.__globals__["LOOPS"]:
        loops.pop().close()


def told(stage: Stage, result: Result) -> list[str] | str:
    if result.failure is None:
        return [*stage.texts, *(fallback(piece) for piece in result.pieces)]
    assert "slack_alert/" not in result.failure.traceback.replace("\\", "/")
    return f"{result.failure.kind}: {result.failure.message}"


def directly(function: Callable[[], Any], *, is_async: bool = False) -> list[str] | str:
    """Call the function as `trigger` does."""
    stage = Stage()
    return told(stage, DirectExecutor(stage.caller).call(run_of(function, is_async=is_async), stage))


def running(function: Callable[[], Any], *, is_async: bool = False) -> list[str] | str:
    """Call the function as a running program does."""
    ended: list[Result] = []
    done = threading.Event()

    def take(_: Run, result: Result) -> None:
        ended.append(result)
        done.set()

    stage = Stage(done=take)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        stage.caller._bridge = loop_bridge(loop)
        inline = PoolExecutor(stage.caller, threads=1, loop=loop)
        inline.submit([run_of(function, is_async=is_async)], stage)
        assert await asyncio.to_thread(done.wait, PATIENCE)
        inline.stop()

    asyncio.run(main())
    return told(stage, ended[0])


def made(name: str, *, is_async: bool) -> Callable[[], Any]:
    if not is_async:
        return lambda: job(name)

    async def function() -> object:
        return job(name)

    return function


def matches(name: str, got: list[str] | str) -> None:
    expected = EXPECTED[name]
    if isinstance(expected, str) and expected.endswith(" "):
        assert isinstance(got, str)
        assert got.startswith(expected)
    else:
        assert expected == got


@pytest.mark.parametrize(("name", "call"), in_turn(EXPECTED, [directly, running]))
def test_a_plain_function_may_hand_back_anything(name: str, call: Callable[..., list[str] | str]) -> None:
    matches(name, call(made(name, is_async=False)))


#: The loop it belongs to never runs: on the main loop nobody can wait for it, on a thread it can be run.
_NOT_ON_A_LOOP = {"own_loop"}


#: Where a usual run calls the plain one in one way, it calls this one in the other.
@pytest.mark.parametrize(
    ("name", "call"), in_turn((name for name in EXPECTED if name not in _NOT_ON_A_LOOP), [running, directly])
)
def test_a_coroutine_function_may_hand_back_anything(name: str, call: Callable[..., list[str] | str]) -> None:
    matches(name, call(made(name, is_async=True), is_async=True))


def test_everything_that_is_made_is_expected() -> None:
    assert list(job.__globals__["MADE"]) == list(EXPECTED)
