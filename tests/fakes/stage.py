"""Plugin functions made from source, and everything a caller needs to call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

from slack_alert.core.content.render import Piece, fallback
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, Result, Run, RunOptions
from slack_alert.core.policy.quota import Pause
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.context import Context, ContextServices
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.calling.rendering import Render
from tests.fakes.engine_rig import MARK, at


def plugin(source: str, *, module: str = "plugins.db", file: str = "/srv/app/plugins/db.py") -> Callable[..., Any]:
    """Make the function `job` of a plugin file, as the loader would."""
    space: dict[str, Any] = {"__name__": module, "__file__": file}
    exec(compile(dedent(source), file, "exec", dont_inherit=True), space)
    function: Callable[..., Any] = space["job"]
    return function


def run_of(
    function: Callable[..., Any],
    *,
    is_async: bool = False,
    takes_context: bool = False,
    number: int = 1,
    name: str = "db.job",
    emits: tuple[str, ...] = (),
    run_options: RunOptions = DEFAULT_OPTIONS,
    reply_to: Address | None = None,
) -> Run:
    action = Action("db.job", "plugins/db.py", 3, "The replica lags.", function, takes_context, is_async)
    return Run(number, name, action, at("16 09:10"), emits=emits, run_options=run_options, reply_to=reply_to)


class Stage:
    """A caller and the host of its runs: what was said, noticed, held, kept and ended through them."""

    def __init__(
        self,
        path: Path = Path(),
        *,
        redaction: Redaction | None = None,
        done: Callable[[Run, Result], object] = lambda _run, _result: None,
        say: Callable[[Run, object], object] = lambda _run, _pieces: None,
        emit: Callable[[Run, object], object] = lambda _run, _value: None,
    ) -> None:
        self.clock = VirtualClock(at("16 09:11"))
        self.said: list[tuple[str, str | None]] = []
        self.noticed: list[object] = []
        self.held: list[tuple[str, Pause | None]] = []
        self.kept: list[StoredValue] = []
        self.over: list[int] = []
        self._done, self._say, self._emit = done, say, emit
        render = Render(MARK, redaction or Redaction())
        self.services = ContextServices(
            mark=MARK,
            path=path,
            render=render,
            address=partial(Address, "slack"),
            now=self.clock.now,
            key_value_store=lambda pack: KeyValueStore(pack, (), write=self.kept.extend, now=self.clock.now),
        )
        self.caller = Caller(self.clock, render)

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.said]

    def call(self, run: Run) -> Result:
        return self.caller.call(run, self)

    async def await_(self, run: Run) -> Result:
        return await self.caller.await_(run, self)

    def done(self, run: Run, result: Result) -> None:
        self._done(run, result)

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        self.said += [(fallback(piece), to.conversation if to else None) for piece in pieces]
        run.progress.posts = replace(run.posts, said=run.posts.said + len(pieces))
        self._say(run, pieces)

    def emit(self, run: Run, value: object) -> None:
        self.noticed.append(value)
        self._emit(run, value)

    def context(self, run: Run | None = None) -> Context:
        return Context(run or run_of(print), self.services, self)

    def ended(self, run: Run) -> None:
        self.over.append(run.id)
        self.services.children.terminate(run.id)

    def emit_event(self, run: Run, name: str, fields: Mapping[str, object]) -> None:
        """Keep an event that a function emits."""
        self.emit(run, {"name": name, **fields})

    def hold(self, name: str, hold: Pause | None) -> None:
        self.held.append((name, hold))
