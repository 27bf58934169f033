"""Run the program of a command of the configuration: words with parameters in them, never a shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.errors import ProgramError
from slack_alert.core.pack import ValueType
from slack_alert.core.structs import Struct, field
from slack_alert.engine.context.action_values import as_word, checked_values, filled


class ProgramRunner(Protocol):
    """The part of a context that runs programs."""

    def run(self, argv: list[str], *, cwd: str | Path | None = None, env: Mapping[str, str] | None = None) -> str:
        """Run a program to its end and return its output."""


class ProgramCall(Struct, frozen=True):
    """The function of such a command, and of an action of a pack without Python."""

    words: tuple[str, ...]
    placeholder: re.Pattern[str]
    #: The values of parameters that are not given.
    defaults: Mapping[str, object] = field(default_factory=dict)
    #: The parameter whose words are given one by one; empty: none.
    variadic: str = ""
    cwd: Path | None = None
    #: Variables of its environment, with parameters in them.
    env: Mapping[str, str] = field(default_factory=dict)
    #: The types that values must have, where they are not checked before.
    types: Mapping[str, ValueType] = field(default_factory=dict)

    def __call__(self, *rest: object, ctx: ProgramRunner, **values: object) -> str:
        """Return the output of the program; raise ProgramError with its last lines if it fails.

        A value is a word of its own or a part of one, whatever is in it. A parameter without a value is an empty part,
        and a word that holds nothing else vanishes.
        """
        given = checked_values(values, self.defaults, self.types)
        known = {name: as_word(value) for name, value in given.items()}
        argv = [*self._argv(known, [text_of(value) for value in rest])]
        env = {name: filled(text, known, self.placeholder, str) for name, text in self.env.items()}
        try:
            return ctx.run(argv, cwd=self.cwd, env=env) if env else ctx.run(argv, cwd=self.cwd)
        except subprocess.CalledProcessError as error:
            # `from None`: the words of the program may hold a secret.
            raise ProgramError(self.words[0], error.returncode, str(error.output or "")) from None

    def _argv(self, known: Mapping[str, str], rest: list[str]) -> Iterator[str]:
        fill: Callable[[re.Match[str]], str] = lambda found: known.get(found[1], "")  # noqa: E731 - of one use
        for word in self.words:
            alone = self.placeholder.fullmatch(word)
            if alone and alone[1] == self.variadic:
                yield from rest
            elif not alone or alone[1] in known:
                yield self.placeholder.sub(fill, word)
