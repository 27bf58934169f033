"""Leftovers of a coroutine do not keep the program from ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from slack_alert.engine.system import loop_runner
from slack_alert.engine.system.loop_runner import in_own_thread, run_to_end


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_runner, "_GRACE", 0.01)


def test_it_returns_what_the_coroutine_returns_and_raises_what_it_raises() -> None:
    async def give(value: int) -> int:
        return 10 // value

    assert run_to_end(give(2)) == 5
    with pytest.raises(ZeroDivisionError):
        run_to_end(give(0))


def test_a_task_that_goes_on_is_cancelled() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def begin() -> None:
        asyncio.get_running_loop().create_task(wait())
        await asyncio.sleep(0)

    run_to_end(begin())

    assert ended == ["cancelled"]


def test_a_task_that_refuses_to_end_is_not_waited_for() -> None:
    async def refuse() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def begin() -> str:
        asyncio.get_running_loop().create_task(refuse())
        await asyncio.sleep(0)
        return "done"

    assert run_to_end(begin()) == "done"


def test_a_thread_of_the_executor_is_not_waited_for() -> None:
    is_over = threading.Event()

    async def begin() -> str:
        asyncio.get_running_loop().run_in_executor(None, is_over.wait)
        return "done"

    try:
        assert run_to_end(begin()) == "done"
    finally:
        is_over.set()


def test_a_generator_that_does_not_close_is_not_waited_for() -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.Event().wait()

    async def begin() -> int:
        kept.append(numbers())
        return await anext_of(kept[0])

    kept: list[AsyncIterator[int]] = []

    assert run_to_end(begin()) == 1


async def anext_of(iterator: AsyncIterator[int]) -> int:
    return await iterator.__anext__()


def test_a_blocking_call_needs_no_thread_of_the_executor() -> None:
    """Plugins may have blocked all of these."""
    is_over = threading.Event()

    async def begin() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(64):
            loop.run_in_executor(None, is_over.wait)
        return await in_own_thread(lambda: 5)

    try:
        assert run_to_end(begin()) == 5
    finally:
        is_over.set()


def test_what_a_blocking_call_raises_is_raised_where_it_is_waited_for() -> None:
    async def begin() -> None:
        await in_own_thread(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        run_to_end(begin())


def test_a_blocking_call_is_made_also_where_the_system_has_no_thread_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def begin() -> int:
        return await in_own_thread(lambda: 5)

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert run_to_end(begin()) == 5
