"""A function of a pack may say by what it returns whether it has succeeded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.run import Result
from slack_alert.core.pack import Manifest, Pack
from slack_alert.core.structs import replace
from tests.fakes.stage import Stage, run_of

PACK = Pack(Manifest("mypack"), "packs/mypack", "/packs/mypack")


def result_of(
    value: object, *, pack: Pack | None = PACK, is_async: bool = False, emits: tuple[str, ...] = ()
) -> Result:
    async def awaited() -> object:
        return value

    function: Callable[[], object] = awaited if is_async else lambda: value
    stage, run = Stage(), run_of(function, is_async=is_async, emits=emits)
    run = replace(run, action=replace(run.action, pack=pack))
    return asyncio.run(stage.caller.await_(run, stage)) if is_async else stage.caller.call(run, stage)


def texts(result: Result) -> list[str]:
    return [fallback(piece) for piece in result.pieces]


@pytest.mark.parametrize("is_async", [False, True])
def test_false_with_a_message_is_a_failure(is_async: bool) -> None:
    failure = result_of((False, "no such host"), is_async=is_async).failure

    assert failure is not None
    assert (failure.kind, failure.message) == ("ActionFailed", "no such host")


@pytest.mark.parametrize("value", ["up", 7, None, ["a", "b"]])
def test_true_with_a_value_is_that_value(value: object) -> None:
    assert texts(result_of((True, value))) == texts(result_of(value))
    assert result_of((True, value)).failure is None


@pytest.mark.parametrize("value", [(False,), (0, "a"), (False, 1, 2), [False, "a"], ("a", "b"), False])
def test_any_other_value_is_said_as_it_is(value: object) -> None:
    assert texts(result_of(value)) == texts(result_of(value, pack=None))
    assert result_of(value).failure is None


def test_outside_packs_and_in_sensors_it_is_a_value_like_any_other() -> None:
    assert result_of((False, "a"), pack=None).failure is None
    assert result_of((False, "a"), emits=("mypack.changed",)).failure is None
