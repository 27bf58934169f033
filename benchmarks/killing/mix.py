"""The functions that run while the program is killed: quick and slow, quiet and saying, of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = """import asyncio
from itertools import count
from time import sleep

from truth import mark, said, word

number = count(1)


def step(ctx, job):
    got = ctx.store.get(job, 0)
    mark(job, "got", got)
    ctx.store.set(job, got + 1)
    mark(job, "set", got + 1)
"""


@dataclass(frozen=True, slots=True)
class Mixed:
    """A function, and its slots: so many seconds apart, counted from the first or by the clock; None: it has none."""

    name: str
    marker: str
    body: str
    seconds: float | None
    parameter: str = ""
    is_async: bool = False
    is_by_clock: bool = False

    def __str__(self) -> str:
        """Write it as a plugin has it."""
        word = "async def" if self.is_async else "def"
        body = "\n    ".join(self.body.split("; "))
        return f"\n\n@deco({self.marker})\n{word} {self.name}({self.parameter}):\n    {body}\n"


def _every(
    name: str, seconds: float, body: str, parameter: str = "", *, more: str = "", is_async: bool = False
) -> Mixed:
    return Mixed(name, f"seconds={seconds}{more}", body, seconds, parameter, is_async)


MIX = (
    _every("quick", 0.2, "mark('quick', 'begin')"),
    _every("saying", 0.25, "return word('saying')"),
    _every(
        "yielding",
        0.7,
        "a = word('yielding', 'saying'); yield a; said('yielding', a); sleep(0.02); "
        "b = word('yielding', 'saying'); yield b; said('yielding', b)",
    ),
    _every(
        "speaking",
        0.9,
        "a = word('speaking', 'saying'); ctx.say(a); said('speaking', a); sleep(0.1); return word('speaking')",
        "ctx",
    ),
    _every("slow", 1.1, "mark('slow', 'begin'); sleep(0.6); mark('slow', 'end')"),
    _every("late", 1.3, "mark('late', 'begin'); sleep(0.4); return word('late')"),
    _every("crowded", 0.3, "mark('crowded', 'begin'); sleep(0.35); mark('crowded', 'end')"),
    _every("awaiting", 0.6, "await asyncio.sleep(0.05); return word('awaiting')", is_async=True),
    _every("noticing", 0.5, "mark('noticing', 'begin'); return {'n': next(number)}", more=", emits='seen'"),
    Mixed("answering", "on='seen'", "return word('answering')", None),
    _every("counting", 0.3, "step(ctx, 'counting')", "ctx"),
    _every("counting_async", 0.4, "step(ctx, 'counting_async'); return word('counting_async')", "ctx", is_async=True),
    _every("counting_apart", 1.0, "step(ctx, 'counting_apart')", "ctx", more=", isolation='process'"),
    _every("seldom", 3.0, "return word('seldom')"),
    Mixed("cron", "cron='* * * * *', catch_up='10m'", "return word('cron')", 60.0, is_by_clock=True),
)


def plugin() -> str:
    """Return the file of all of them."""
    return _HEAD + "".join(map(str, MIX))


def with_slots() -> Iterator[Mixed]:
    """Yield those that a slot starts."""
    return (each for each in MIX if each.seconds is not None)
