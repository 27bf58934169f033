"""Plugin functions made from source, and everything a caller needs to call them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from slack_alert.core.content.render import Piece, fallback, pieces
from slack_alert.core.model.run import Action, Run
from slack_alert.core.policy.quota import Pause
from slack_alert.core.redaction.redaction import Redaction
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
    function: Callable[..., Any], *, is_async: bool = False, takes_context: bool = False, number: int = 1
) -> Run:
    action = Action("db.job", "plugins/db.py", 3, "The replica lags.", function, takes_context, is_async)
    return Run(number, "db.job", action, at("16 09:10"))


class Stage:
    """A caller, and what was said, held and kept through it."""

    def __init__(self, path: Path = Path()) -> None:
        self.clock = VirtualClock(at("16 09:11"))
        self.said: list[tuple[str, str | None]] = []
        self.held: list[tuple[str, Pause | None]] = []
        self.kept: list[StoredValue] = []
        self.services = ContextServices(
            mark=MARK,
            path=path,
            say=self._say_value,
            hold=lambda job, hold: self.held.append((job, hold)),
            now=self.clock.now,
            key_value_store=lambda pack: KeyValueStore(pack, (), write=self.kept.extend, now=self.clock.now),
        )
        self.caller = Caller(
            clock=self.clock,
            render=Render(MARK, Redaction()),
            say=self._say,
            context=lambda run: Context(run, self.services),
        )

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.said]

    def context(self) -> Context:
        return Context(run_of(print), self.services)

    def _say(self, run: Run, said: tuple[Piece, ...]) -> None:
        self.said += [(fallback(piece), None) for piece in said]
        run.said += len(said)

    def _say_value(self, run: Run, value: object, to: str | None) -> None:
        said = pieces(value, mark=MARK, name="job", doc=run.action.doc)
        self.said += [(fallback(piece), to) for piece in said]
