"""The context of a run, which plugin functions take as `ctx`."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from slack_alert.core.bindings import store_name
from slack_alert.core.content.markup import Markup, unformatted
from slack_alert.core.content.pieces import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Run
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.quantities import parse_duration
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.engine.context.subprocesses import Subprocesses

#: Parts of the names of environment variables that a plugin's subprocess does not get.
_SECRET = ("SLACK_", "TOKEN", "SECRET", "PASSWORD")
#: What functions will find in their context in a later version.
_LATER = frozenset(["ask", "confirm"])


class ContextServices(Struct, frozen=True):
    """The services behind contexts, shared by the whole program."""

    mark: Markup
    path: Path
    #: Renders a value of a run into pieces; empty: quiet.
    render: Callable[[Run, object], tuple[Piece, ...]]
    #: Reads an address as people write it; raises BadValue.
    address: Callable[[str], Address]
    now: Callable[[], datetime]
    key_value_store: Callable[[str], KeyValueStore]
    children: Subprocesses = field(default_factory=Subprocesses)
    #: What the verbs of the chat work on; None where there is no chat.
    program: Any = None  # Any: it is made of operations, which lie above


class ContextHost(Protocol):
    """Does what a function asks for through its context."""

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces in the middle of a run, to the job's address or to another."""

    def hold(self, name: str, hold: Pause | None) -> None:
        """Pause or resume (None) the job with a name as people type it; durable when this returns."""

    def emit_event(self, run: Run, name: str, fields: Mapping[str, object]) -> None:
        """Emit an event of any name in the middle of a run."""


def public(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without variables that look like secrets."""
    return {name: value for name, value in environ.items() if not any(word in name.upper() for word in _SECRET)}


class Context:
    """The one argument a plugin function may take: `ctx`."""

    def __init__(self, run: Run, services: ContextServices, host: ContextHost) -> None:
        self._run = run
        self._services = services
        self._host = host
        #: The due time of this run, aware, in UTC; of a requested run the time of the request.
        self.now: datetime = run.slot
        #: The fields of the event, for a rule; of several that are answered together a list; empty for a job.
        self.event: Any = [*run.collected] if run.collected else run.event or {}  # Any: which of them is declared
        #: Who asked for it, and where that person is answered; None: it ran by itself.
        self.by = run.by
        self.reply_to = run.reply_to
        #: The running program, for the verbs that come with it.
        self.program = services.program
        self.log = logging.getLogger(run.binding)
        #: The configuration of the function's pack; empty outside packs.
        self.config: Mapping[str, Any] = {} if run.action.pack is None else run.action.pack.config
        #: A small durable key-value store shared by the functions of one folder.
        self.store: KeyValueStore = services.key_value_store(store_name(run.binding)).for_run(run)

    if not TYPE_CHECKING:  # Else a checker would take every attribute for one that is there.

        def __getattr__(self, name: str) -> object:
            """Raise AttributeError; what comes with a later version is named as that."""
            if name in _LATER:
                raise AttributeError(f"ctx.{name} is not there yet in this version")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def canceled(self) -> bool:
        """Whether this run should end soon."""
        return self._run.progress.is_canceled

    def say(self, value: object, to: str | None = None) -> None:
        """Post a value now, in the job's channel or in another; a run counts as one alert."""
        if pieces := self._services.render(self._run, value):
            self._host.say(self._run, pieces, self._services.address(to) if to else None)

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell the progress of the run, from 0 to 1, and what it is at: in the log, and to the person who asked."""
        self._run.progress.fraction, self._run.progress.step = float(fraction), str(text)
        self.log.info("progress", extra={"run": self._run.id, "fraction": fraction, "text": text})

    def emit(self, name: str, /, **fields: object) -> None:
        """Emit an event, which is on disk when this returns; within a pack, a name without a dot is the pack's."""
        self._host.emit_event(self._run, name, fields)

    def link(self, url: str, text: str) -> str:
        """Return a link for use in posted text."""
        return self._services.mark.link(url, text)

    def mention(self, who: str) -> str:
        """Return a mention (`@ann`, `U0123`, `here`) for use in posted text."""
        return self._services.mark.mention(who)

    def plain(self, text: str) -> str:
        """Return text that Slack does not format, for use in posted text: see `core.content.markup.unformatted`."""
        return unformatted(text)

    def pause(self, job: str, for_: object = None) -> None:
        """Pause a job for a duration (seconds, or `1h30m`), or until it is resumed."""
        until = None if for_ is None else self._services.now() + parse_duration(for_)
        self._host.hold(job, Pause(until, self._run.binding))

    def resume(self, job: str) -> None:
        """Resume a paused job."""
        self._host.hold(job, None)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | Path | None = None,
        check: bool = True,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | timedelta | str | None = None,
    ) -> str:
        """Run a program without a shell and return its output; it is ended at the latest with the run.

        Raise `subprocess.CalledProcessError` with the output unless `check` is False. The program's environment is ours
        without variables that look like secrets, and with `env`. At the timeout, its own subprocesses end with it.
        """
        if isinstance(argv, str):
            raise TypeError("argv must be a list of words such as ['df', '-h'], not one string: there is no shell")
        ended = self._services.children.call(
            self._run,
            [str(word) for word in argv],
            text=stdin,
            timeout=None if timeout is None else parse_duration(timeout),
            cwd=self._services.path if cwd is None else cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={**public(os.environ), **(env or {})},
        )
        if check:
            ended.check_returncode()
        return ended.stdout
