"""The records everything else passes on: addresses, actions, runs, results, messages, deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from slack_alert.core.content.render import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Usage, Verdict
from slack_alert.core.retry import growing
from slack_alert.core.structs import Struct

#: No retry waits longer than this, unless its first delay is longer already.
LONGEST_DELAY = timedelta(hours=1)


class Isolation(str, Enum):
    """Where a function is called."""

    NONE = "none"
    #: In a process of its own, which can be killed.
    PROCESS = "process"

    def __str__(self) -> str:
        """Return the word users write."""
        return self.value


class RunOptions(Struct, frozen=True):
    """What a job asks for its runs."""

    #: None: as long as it likes.
    timeout: timedelta | None = None
    #: How often a run that failed is tried again.
    retries: int = 0
    #: Before the first retry; each further delay is twice as long.
    retry_delay: timedelta = timedelta(seconds=30)
    isolation: Isolation = Isolation.NONE
    #: In bytes; binds a process of its own, as does the time of the processor.
    memory: int | None = None
    cpu: timedelta | None = None

    def delay(self, attempt: int, chance: float) -> timedelta:
        """Return the time between the failure of an attempt (1 is the first) and the next one.

        `chance` in [0, 1) adds up to a quarter, so that what failed together is not tried again together.
        """
        last = max(self.retry_delay, LONGEST_DELAY)
        return growing(self.retry_delay, last, attempt) * (1 + chance / 4)


#: What a job has that asks for nothing; one object, so that it costs a comparison to see that there is nothing to do.
DEFAULT_OPTIONS = RunOptions()


class Action(Struct, frozen=True):
    """A named plugin function."""

    name: str
    file: str
    line: int
    doc: str | None = None
    #: None until the module has been executed, and always in `check` and `simulate`.
    function: Callable[..., Any] | None = None  # Any: a plugin may take and return what it likes
    takes_context: bool = False
    is_async: bool = False
    #: What an event, or a person, may fill in by its name; only of a rule and of a command.
    parameters: tuple[str, ...] = ()


class Failure(Struct, frozen=True):
    """An exception of a plugin, in words."""

    kind: str
    message: str
    #: `plugins/db.py:12`, the innermost line of the plugin's own code.
    place: str
    traceback: str
    #: What history says of it.
    verdict: Verdict = Verdict.ERROR
    #: What a program wrote last, told below all else.
    output: str = ""


class Run(Struct):
    """One execution of an action; not frozen, it collects what the function prints and says on its way."""

    id: int
    binding: str
    action: Action
    slot: datetime
    #: Who asked, when a person did; policy binds only runs nobody asked for.
    asked_by: str | None = None
    #: What was noticed, for a rule.
    event: Mapping[str, object] | None = None
    #: The name of the events its values become, for a sensor.
    emits: str | None = None
    started: datetime | None = None
    printed: list[str] | None = None
    #: How many characters it printed so far, kept or not.
    length: int = 0
    #: What was printed since the last line end.
    line: str = ""
    #: The generator whose values it says, while it goes on.
    values: object = None
    #: Passes on what is left of that line; set by whoever captures the output.
    end_line: Callable[[], None] | None = None
    #: Keeps what a sensor has set in `ctx.store`, and gives what waits for that, if anything has to.
    keep_values: Callable[[], Callable[[], None] | None] | None = None
    #: How much of what one run may say it has said, or wanted to, so far.
    volume: int = 0
    #: How many messages it has said so far (`ctx.say`, `yield`), and where to.
    said: int = 0
    told: tuple[Address, ...] = ()
    #: What it said, or wanted to while muted.
    texts: list[str] | None = None
    #: What it wants to say that is said at its end, all at once, and where to.
    held: tuple[tuple[Address, Piece], ...] = ()
    #: Of that, what goes elsewhere than the rest.
    elsewhere: tuple[tuple[Address, Piece], ...] = ()
    #: It spoke while muted.
    is_withheld: bool = False
    #: The rule behind what became of its first words, and whether that withholds all else that it says.
    reason: str = ""
    is_hushed: bool = False
    #: How many messages were withheld because it had said so many.
    withheld: int = 0
    is_canceled: bool = False
    #: The journal has what it returned, and nobody has put that anywhere yet.
    is_kept: bool = False
    #: The store has that it began: a kill leaves it `interrupted`.
    is_noted: bool = False
    #: Its function has returned; what it said is being written down.
    has_returned: bool = False
    care: RunOptions = DEFAULT_OPTIONS
    #: Given up, and its function still goes on in this process, where nothing can end it.
    is_stuck: bool = False
    #: Ends what its function handed back to be awaited, while that goes on.
    cancel: Callable[[], object] | None = None
    #: What to do when that function has returned after all; set by whoever waits for it.
    released: Callable[[], None] | None = None
    #: What history says of how it came about: that it was caught up, or tried again.
    remark: str = ""
    #: That it took longer than usual; what it says at its end carries it.
    slow: str = ""


class Result(NamedTuple):
    """How a run ended: what it has to say (empty: quiet), or a failure; a tuple, because a million pass."""

    pieces: tuple[Piece, ...] = ()
    failure: Failure | None = None
    duration: timedelta = timedelta()
    usage: Usage | None = None
    #: What its value measures: a number has the name "".
    numbers: Mapping[str, float] | None = None


QUIET = Result()


class Returned(Struct, frozen=True):
    """What a run returned, before it is worked out what that means."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: tuple[Piece, ...]
    numbers: Mapping[str, float] | None = None
    remark: str = ""
