from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from slack_alert.channels.slack.inbound.deadline import within

T = TypeVar("T")


def run(scene: Coroutine[object, object, T]) -> T:
    return asyncio.run(scene)


def test_what_is_there_in_time_is_returned() -> None:
    assert run(within(20, asyncio.sleep(0, "there"))) == "there"


def test_what_takes_longer_is_cancelled_and_the_caller_goes_on() -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def scene() -> str:
        with pytest.raises(asyncio.TimeoutError):
            await within(0, forever())
        await asyncio.sleep(0)
        return "goes on"

    assert run(scene()) == "goes on"
    assert ended == ["cancelled"]


def test_what_ends_at_the_last_moment_leaves_no_cancellation_behind() -> None:
    async def scene() -> str:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        loop.call_later(0, done.set_result, "there")
        with pytest.raises(asyncio.TimeoutError):
            await within(0, done)
        await asyncio.sleep(0)
        return "goes on"

    assert run(scene()) == "goes on"


def test_who_is_cancelled_meanwhile_is_cancelled() -> None:
    async def scene() -> bool:
        begun = asyncio.ensure_future(within(20, asyncio.Event().wait()))
        await asyncio.sleep(0)
        begun.cancel()
        await asyncio.wait([begun])
        return begun.cancelled()

    assert run(scene())


def test_an_error_is_raised_as_it_is() -> None:
    async def fails() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run(within(20, fails()))
