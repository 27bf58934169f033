"""Commands, which people run by writing their words in the chat, and guards, which are asked before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from slack_alert.core.commands.signature import Parameter
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, RunOptions
from slack_alert.core.structs import Struct, field

#: The words of the verbs built in, which are not imported where no command is.
VERBS = frozenset(
    [
        "help", "jobs", "run", "status", "queue", "cancel", "history", "why", "pause", "resume", "mute", "unmute",
        "ack", "report", "whoami", "audit", "subscribe", "unsubscribe", "emit",
        "agree", "reject",
    ]
)  # fmt: skip
#: As the words of a guard: every command.
ANY = "*"
#: What a guard is called with, by these names, as far as it takes them.
GUARD_PARAMETERS = ("by", "command", "args", "channel")
#: A guard refuses if it does not answer within this time.
GUARD_OPTIONS = RunOptions(timeout=timedelta(seconds=10))


class Command(Struct, frozen=True):
    """An action that a person runs by writing its words in the chat."""

    name: str
    action: Action
    #: The words, and the others that mean the same.
    words: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    #: Roles, one of which it takes; empty: the marker does not say who may.
    allow: tuple[str, ...] = ()
    #: Runs of one queue go one after another; None: it never waits in one.
    queue: str | None = "default"
    #: Runs with the same lock exclude each other, whatever their queue: a text with parameters, such as `{env}`.
    lock: str = ""
    #: Not in `help`.
    is_hidden: bool = False
    #: It changes nothing, so that every member may run it.
    is_reading: bool = False
    #: Where its failures are told besides; None: nowhere.
    errors_to: Address | None = None
    #: The program that it runs instead of a function: words with parameters, such as `{app}`.
    program: tuple[str, ...] = ()
    run_options: RunOptions = DEFAULT_OPTIONS
    options: Mapping[str, object] = field(default_factory=dict)
    kind: str = "command"
    #: Lines that show how it is written.
    examples: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The words as text for people."""
        return f'command "{self.words}"'


class Guard(Struct, frozen=True):
    """A function that is asked before a command runs; it may refuse, or change arguments."""

    name: str
    action: Action
    #: The words of commands; `*`: all of them.
    words: tuple[str, ...]
    run_options: RunOptions = GUARD_OPTIONS
    options: Mapping[str, object] = field(default_factory=dict)
    kind: str = "guard"
    #: The file and the problem by which it cannot be asked, so that it refuses; empty: it can.
    fault: str = ""

    @property
    def shown(self) -> str:
        """What it guards, as text for people."""
        return "guard of all commands" if ANY in self.words else f"guard of {', '.join(self.words)}"
