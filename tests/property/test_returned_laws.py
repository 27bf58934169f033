"""No value of any kind is said by its address, ends in this program's own traceback, or depends on who calls."""

from __future__ import annotations

import asyncio
import re
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import make_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from io import BytesIO, StringIO
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.content.render import fallback
from slack_alert.core.model.run import Result
from slack_alert.executors.direct import DirectExecutor
from tests.fakes.stage import Stage, run_of


class Level(Enum):
    OK = 0
    WARN = 1


class Thing:
    def method(self) -> None:
        """Be returned instead of called."""


class Broken:
    """Raises, or gives what it must not, wherever it is asked."""

    def __init__(self, **answers: object) -> None:
        self._answers = answers

    def _answer(self, name: str, usual: object) -> Any:
        answer = self._answers.get(name, usual)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def __str__(self) -> str:
        return self._answer("str", "words")  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return self._answer("repr", "words")  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return self._answer("bool", True)  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return self._answer("len", 1)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        return self._answer("iter", iter(["words"]))

    def __float__(self) -> float:
        return self._answer("float", 1.0)  # type: ignore[no-any-return]

    def __hash__(self) -> int:
        return self._answer("hash", 1)  # type: ignore[no-any-return]


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - what plugins use
Disk = make_dataclass("Disk", ["a", "b"])


async def promised(value: object) -> object:
    await asyncio.sleep(0)
    return value


async def paged(values: list[object]) -> Any:
    for value in values:
        yield value


Make = Callable[[], Any]


def made(value: object) -> Make:
    return lambda: value


wrong = st.sampled_from(
    [ValueError("no"), SystemExit(3), KeyboardInterrupt(), RecursionError(), None, -1, 2**80, "x", b"y"]
)
methods = st.sampled_from(["str", "repr", "bool", "len", "iter", "float", "hash"])
broken = st.dictionaries(methods, wrong, max_size=3).map(lambda answers: lambda: Broken(**answers))
ODD: list[Any] = [
    Thing, Thing(), Thing().method, re, len, print, lambda: 1, partial(print), object(), promised, type, Ellipsis,
    NotImplemented, Level, Level.WARN, Decimal("NaN"), Decimal("1E+3"), Fraction(1, 3), date(2026, 1, 1), time(0),
    timedelta(0), UUID(int=1), ip_address("::1"), PurePosixPath("/x"), Path("/nowhere/at/all"), Path(),
    Path("/dev/null"), 10**5000, -(10**5000), float("nan"), float("inf"), complex(1, 2), ValueError("bad"),
    KeyError(), SystemExit(2), slice(1), memoryview(b"\x00a"), "a\ud800", b"\xff\xd8\xff", b"%PDF-",
    MappingProxyType({"a": Thing()}), SimpleNamespace(), SimpleNamespace(a=print),
]  # fmt: skip
#: By their place: not everything can be shown.
odd = st.integers(0, len(ODD) - 1).map(lambda place: made(ODD[place]))
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9)


def within(inner: st.SearchStrategy[Make]) -> st.SearchStrategy[Make]:
    several = st.lists(inner, max_size=4)
    collect = st.sampled_from(
        [
            list, tuple, deque, iter, lambda found: filter(None, found), reversed,
            lambda found: (each for each in found), lambda found: zip(found, found, strict=True),
            lambda found: dict(enumerate(found)), lambda found: dict(enumerate(found)).values(),
            lambda found: dict(enumerate(found)).items(), lambda found: OrderedDict(enumerate(found)),
            lambda found: defaultdict(list, enumerate(found)), lambda found: ChainMap(dict(enumerate(found))),
            lambda found: Counter("aab"[: len(found)]), lambda found: Pair(found, found), lambda found: Disk(found, 1),
            lambda found: [Pair(each, 1) for each in found], lambda found: [(each, 1) for each in found],
            lambda found: [{"a": each} for each in found], lambda found: {"text": "a", "blocks": found}, paged,
            lambda found: ("name", StringIO(str(len(found)))), lambda found: BytesIO(bytes(len(found))),
            promised, lambda found: [promised(found)],
        ]
    )  # fmt: skip
    return st.builds(lambda how, makes: lambda: how([make() for make in makes]), collect, several)


values = st.recursive(plain.map(made) | odd | broken, within, max_leaves=8)


def told(make: Make, *, is_async: bool) -> tuple[list[str], str | None]:
    stage = Stage()

    async def coroutine() -> object:
        return make()

    result = DirectExecutor(stage.caller).call(run_of(coroutine if is_async else make, is_async=is_async), stage)
    return [*stage.texts, *(fallback(piece) for piece in result.pieces)], _failure(result)


def _failure(result: Result) -> str | None:
    if result.failure is None:
        return None
    assert "slack_alert/" not in result.failure.traceback, result.failure.traceback
    return f"{result.failure.kind}: {result.failure.message}"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited", "ignore::DeprecationWarning")
@given(values)
def test_no_value_is_said_by_its_address_or_breaks_this_program(make: Make) -> None:
    texts, failure = told(make, is_async=False)

    assert not [text for text in texts if re.search(r"&lt;[^&]* at 0x[0-9a-f]+", text)]
    assert failure is None or " at 0x" not in failure
    assert (texts, failure) == told(make, is_async=True)
