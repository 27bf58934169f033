"""The plugins of a simulation: what functions there are, and what the seed lets them do each time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.chat_plugins import COMMANDS
from tests.simulation.world import KilledError, Life, World

#: The text of a plugin file of each kind; `PLAY` is what a function does, whose `ctx` tells which slot it is.
_PLAY = "return here.play(ctx)"
KINDS = {
    "quick": "@deco(seconds=5)\ndef quick(ctx):\n    {play}\n",
    "slow": "@deco(seconds=20)\ndef slow(ctx):\n    {play}\n",
    "pair": "@deco(seconds=7)\ndef one(ctx):\n    {play}\n\n@deco(seconds=7)\ndef two(ctx):\n    {play}\n",
    "minutely": '@deco(cron="* * * * *")\ndef minutely(ctx):\n    {play}\n',
    "hourly": '@deco(cron="30 * * * *")\ndef hourly(ctx):\n    {play}\n',
    "daily": '@deco(cron="30 2 * * *", catch_up="12h")\ndef daily(ctx):\n    {play}\n',
    "hours": '@deco(seconds=11, working_hours="mon-fri 0:30-13:00; sat 1:00-2:30; sun 1:00-2:30")\n'
    "def hours(ctx):\n    {play}\n",
    "timed": "@deco(seconds=13, timeout=2)\ndef timed(ctx):\n    {play}\n",
    "retried": "@deco(seconds=30, retries=2, retry_delay=3)\ndef retried(ctx):\n    {play}\n",
    "edited": '@deco(seconds=10, repeat="update", recover="post")\ndef edited(ctx):\n    {play}\n',
    "threaded": '@deco(seconds=10, repeat="thread", recover="post", after=2)\ndef threaded(ctx):\n    {play}\n',
    "grouped": '@deco(seconds=15, group="g")\ndef first(ctx):\n    {play}\n\n'
    '@deco(seconds=15, group="g")\ndef second(ctx):\n    {play}\n',
    "async": "@deco(seconds=9)\nasync def awaited(ctx):\n    return await here.play_async(ctx)\n",
    "stream": "@deco(seconds=17)\ndef stream(ctx):\n    yield from here.stream(ctx)\n",
    "sensor": '@deco(seconds=12, emits="seen")\ndef sensor(ctx):\n    return here.notice(ctx)\n\n'
    '@deco(on="seen")\ndef rule(ctx, n):\n    return here.answer(ctx, n)\n',
    "changed": '@deco(seconds=10, repeat="change", remind="2m")\ndef changed(ctx):\n    {play}\n',
    "escalated": '@deco(seconds=10, repeat="update", recover=True, escalate="#errors after 1m")\n'
    "def escalated(ctx):\n    {play}\n",
    "beat": '@deco(seconds=20, emits="beat")\ndef beat(ctx):\n    return here.beat(ctx)\n\n'
    '@deco(on="beat", absent="1m", recover=True)\ndef silence(ctx):\n    {play}\n',
    "started": "@deco(hours=1, at_start=True)\ndef started(ctx):\n    {play}\n",
    "unlimited": "@deco(seconds=3, max_alert=0)\ndef unlimited(ctx):\n    {play}\n",
}
#: Who emits what no sensor does.
SCRIPT = "(script)"
HEAD = '"""Version {version}."""\n\nimport simulated as here\n\n'


def text_of(kind: str, version: int = 1) -> str:
    """Return the text of a plugin file."""
    return HEAD.format(version=version) + (COMMANDS.get(kind) or KINDS[kind].format(play=_PLAY))


def names_of(kind: str) -> list[str]:
    """Return the names of the functions of a kind, as the product has them."""
    return [f"{kind}.{line.split('def ')[1].split('(')[0]}" for line in KINDS[kind].splitlines() if "def " in line]


@dataclass
class Call:
    """One call of a function, as the world knows it; nothing of this is taken from the product."""

    job: str
    slot: datetime
    life: int
    #: Microseconds of the world's clock.
    began: int
    does: str
    ended: int | None = None
    #: What it said, in order: unique texts.
    said: list[str] = field(default_factory=list)
    #: The event that it answers, if any.
    event: int | None = None


class Stage:
    """What functions do: drawn, and written down."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls: list[Call] = []
        #: Whether functions do things that make trouble, or only return.
        self.is_wild = True
        #: Functions say nothing.
        self.is_silent = False
        #: A kill comes while some runs go on, or soon after.
        self.is_deadly = False
        #: Every function speaks each time.
        self.is_storm = False
        self._texts = 0
        #: The lives in which something was called, by number.
        self._lives: dict[int, Life] = {}
        #: The events that sensors noticed, by number, with the sensor's call.
        self.noticed: dict[int, Call] = {}
        #: How often functions did what.
        self.met: dict[str, int] = {}
        #: The greatest number that `ctx.store.set` returned for, by file.
        self.kept: dict[str, int] = {}
        #: What another process has set last, by file, and the texts that it has left to be sent.
        self.set_outside: dict[str, int] = {}
        self.sent_outside: list[str] = []

    # --- what plugin files call

    def play(self, ctx: Any) -> object:
        """Do what the seed says for this call."""
        call = self._begin(ctx)
        try:
            return self._act(call, ctx)
        finally:
            self._note_end(call)

    async def play_async(self, ctx: Any) -> object:
        """Do so, and wait on the loop."""
        import asyncio

        call = self._begin(ctx, is_async=True)
        try:
            if call.does == "wait":
                await asyncio.sleep(self._world.random.random() * 4)
            return self._act(call, ctx)
        finally:
            self._note_end(call)

    def stream(self, ctx: Any) -> Iterator[str]:
        """Say several things, one after the other."""
        call = self._begin(ctx)
        for _ in range(0 if self.is_silent else self._world.random.randrange(4)):
            self._world.sleep(self._world.random.random() * 1.5)
            yield self._text(call)
        self._note_end(call)

    def notice(self, ctx: Any) -> list[dict[str, int]]:
        """Notice some things."""
        call = self._begin(ctx)
        found = []
        for _ in range(0 if self.is_silent else self._world.random.choice((0, 0, 1, 1, 3))):
            number = len(self.noticed) + 1
            self.noticed[number] = call
            found.append({"n": number})
        self._note_end(call)
        return found

    def beat(self, ctx: Any) -> object:
        """Give a sign of life, or none."""
        call = self._begin(ctx)
        self._note_end(call)
        is_still = self.is_silent or (self.is_wild and self._world.random.random() < 0.6)
        return None if is_still else {"at": self._world.micros}

    def emitted(self, now: datetime) -> int:
        """Return the number of an event that another process leaves."""
        number = len(self.noticed) + 1
        life = self.calls[-1].life if self.calls else 0
        self.noticed[number] = Call(SCRIPT, now, life, self._world.micros, "emit", self._world.micros)
        return number

    def answer(self, ctx: Any, number: int) -> object:
        """Answer an event."""
        call = self._begin(ctx)
        call.event = number
        try:
            return self._act(call, ctx)
        finally:
            self._note_end(call)

    def _note_end(self, call: Call) -> None:
        """Note when a call ended, unless a kill ended it."""
        if not self._lives[call.life].is_dead:
            call.ended = self._world.micros

    # --- what is drawn

    def _begin(self, ctx: Any, *, is_async: bool = False) -> Call:
        thread = self._world.current
        if thread is None or thread.life.is_dead:
            raise KilledError
        does = self._draw(ctx._run.binding, is_async=is_async)
        call = Call(ctx._run.binding, ctx.now, thread.life.number, self._world.micros, does)
        self.calls.append(call)
        self._lives[call.life] = thread.life
        self.met[does] = self.met.get(does, 0) + 1
        self._world.note(f"{call.job} {ctx.now:%H:%M:%S} begins: {does}")
        if self.is_deadly and self._world.random.random() < (0.3 if does in ("wait", "say") else 0.02):
            seconds = self._world.random.choice((0.005, 0.8, 2.0, 2.8, 14.0))
            self._world.after(seconds, lambda: self._world.kill(thread.life, f"during {call.job}"))
        return call

    def _draw(self, job: str, *, is_async: bool) -> str:
        chance = self._world.random.random()
        if self.is_silent:
            return "quiet"
        if self.is_storm:
            return "speak"
        if self.is_wild and job.startswith("retried.") and chance < 0.4:
            return "fail"
        if not self.is_wild:
            return "speak" if chance < 0.2 else "quiet"
        for does, likely in _WILD if not is_async else _TAME:
            if chance < likely:
                return does
            chance -= likely
        return "quiet"

    def _act(self, call: Call, ctx: Any) -> object:
        act: Callable[[Call, Any], object] = getattr(self, f"_{call.does}")
        return act(call, ctx)

    def _quiet(self, _call: Call, _ctx: Any) -> object:
        return self._world.random.choice((None, "", 0, [], {}))

    def _speak(self, call: Call, _ctx: Any) -> object:
        return self._text(call)

    def _fail(self, call: Call, _ctx: Any) -> object:
        raise ValueError(self._text(call))

    def _wait(self, call: Call, _ctx: Any) -> object:
        if self._world.current is not None and self._world.current.loop is None:
            self._world.sleep(self._world.random.choice((0.02, 0.4, 0.6, 3, 30)))
        return self._text(call) if self._world.random.random() < 0.5 else None

    def _say(self, call: Call, ctx: Any) -> object:
        for _ in range(self._world.random.randrange(1, 3)):
            ctx.say(self._text(call))
            self._world.sleep(self._world.random.choice((0.0, 0.1, 1.0)))
        return None

    def _store(self, call: Call, ctx: Any) -> object:
        number = (ctx.store.get("n") or 0) + 1
        ctx.store.set("n", number)
        pack = call.job.partition(".")[0]
        self.kept[pack] = max(number, self.kept.get(pack, 0))
        return None

    def _print(self, _call: Call, _ctx: Any) -> object:
        sys.stdout.write("printed\n")
        return None

    def _pause(self, call: Call, ctx: Any) -> object:
        ctx.pause(call.job, for_=self._world.random.choice(("20s", "2m")))
        return None

    def _never(self, _call: Call, _ctx: Any) -> object:
        self._world.wait(self._world.waiter())
        return None

    def _die(self, call: Call, _ctx: Any) -> object:
        thread = self._world.current
        assert thread is not None
        self._world.kill(thread.life, f"by {call.job}")
        raise KilledError

    def _text(self, call: Call) -> str:
        self._texts += 1
        text = f"text-{self._texts}-"
        call.said.append(text)
        return text


_TAME = (("speak", 0.2), ("fail", 0.05), ("wait", 0.2), ("print", 0.02), ("store", 0.1))
_WILD = (*_TAME, ("say", 0.1), ("pause", 0.004), ("never", 0.002), ("die", 0.004))
