"""Actions, runs and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from slack_alert.core.content.render import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Usage, Verdict
from slack_alert.core.retry import backoff
from slack_alert.core.structs import Struct

#: Longest delay between retries, unless the first delay is longer already.
LONGEST_DELAY = timedelta(hours=1)


class Isolation(str, Enum):
    """Where a function runs."""

    NONE = "none"
    #: In a separate process, which can be killed.
    PROCESS = "process"

    def __str__(self) -> str:
        """Return the word users write."""
        return self.value


class RunOptions(Struct, frozen=True):
    """How a job's runs are executed: timeout, retries, isolation and limits."""

    #: None: no limit.
    timeout: timedelta | None = None
    #: Number of retries of a failed run.
    retries: int = 0
    #: Delay before the first retry; each further delay is twice as long.
    retry_delay: timedelta = timedelta(seconds=30)
    isolation: Isolation = Isolation.NONE
    #: Limit in bytes; like that of the CPU time it applies to separate processes only.
    memory: int | None = None
    cpu: timedelta | None = None

    def delay(self, attempt: int, chance: float) -> timedelta:
        """Return the delay between the failure of an attempt (1 is the first) and the next one.

        `chance` in [0, 1) adds up to a quarter, so that runs that failed together are not retried together.
        """
        last = max(self.retry_delay, LONGEST_DELAY)
        return backoff(self.retry_delay, last, attempt) * (1 + chance / 4)


#: The options of a job that sets none; one object, so that an identity check shows that there is nothing to do.
DEFAULT_OPTIONS = RunOptions()


class Action(Struct, frozen=True):
    """A named plugin function."""

    name: str
    file: str
    line: int
    doc: str | None = None
    #: None until the module has been executed, and always in `check` and `simulate`.
    function: Callable[..., Any] | None = None  # Any: a plugin's parameters and values have any type
    takes_context: bool = False
    is_async: bool = False
    #: Parameters that an event or a person may fill in by name; only of rules and commands.
    parameters: tuple[str, ...] = ()


class Failure(Struct, frozen=True):
    """A plugin's exception, as text."""

    kind: str
    message: str
    #: `plugins/db.py:12`, the innermost line of the plugin's own code.
    place: str
    traceback: str
    #: The verdict in the history.
    verdict: Verdict = Verdict.ERROR
    #: The last output of a program, shown below everything else.
    output: str = ""


class Run(Struct):
    """One execution of an action; not frozen, because it collects what the function prints and posts meanwhile."""

    id: int
    binding: str
    action: Action
    slot: datetime
    #: The person who asked for it, if any; policies apply only to runs nobody asked for.
    asked_by: str | None = None
    #: The fields of the event, for a rule.
    event: Mapping[str, object] | None = None
    #: The name of the events its values become, for a sensor.
    emits: str | None = None
    started: datetime | None = None
    printed: list[str] | None = None
    #: Number of characters printed so far, kept or not.
    length: int = 0
    #: The output since the last line end.
    line: str = ""
    #: The generator whose values are posted, while it is running.
    values: object = None
    #: Passes on the unfinished `line`; set by the code that captures the output.
    end_line: Callable[[], None] | None = None
    #: Saves what a sensor has set in `ctx.store`; returns a function that waits for it, or None if nothing has to.
    keep_values: Callable[[], Callable[[], None] | None] | None = None
    #: Size of what it has posted or tried to post so far, against the limit of one run.
    volume: int = 0
    #: Number of messages posted so far (`ctx.say`, `yield`), and their addresses.
    said: int = 0
    told: tuple[Address, ...] = ()
    #: Texts that it posted, or would have posted while muted.
    texts: list[str] | None = None
    #: Pieces to be posted together at its end, with their addresses.
    held: tuple[tuple[Address, Piece], ...] = ()
    #: Those of `held` that go to other addresses than the rest.
    elsewhere: tuple[tuple[Address, Piece], ...] = ()
    #: It posted something while muted.
    is_withheld: bool = False
    #: The reason for the verdict on its first message, and whether that withholds all further ones.
    reason: str = ""
    is_hushed: bool = False
    #: Number of messages withheld because it reached the limit of one run.
    withheld: int = 0
    is_canceled: bool = False
    #: Its result is in the journal, and not yet in the store.
    is_kept: bool = False
    #: Its start is in the store: if the process is killed, it is recorded as `interrupted`.
    is_noted: bool = False
    #: Its function has returned; its messages are being committed.
    has_returned: bool = False
    run_options: RunOptions = DEFAULT_OPTIONS
    #: Timed out, and its function is still running in this process, where it cannot be stopped.
    is_stuck: bool = False
    #: Cancels the awaitable that its function returned, while that is running.
    cancel: Callable[[], object] | None = None
    #: Called when the function of a stuck run has returned after all; set by the code that waits for it.
    released: Callable[[], None] | None = None
    #: Remark for the history: that it was caught up, or retried.
    remark: str = ""
    #: Remark that it took longer than usual, added to what it posts at its end.
    slow: str = ""


class Result(NamedTuple):
    """The result of a run: pieces to post (empty: quiet), or a failure. A tuple, because there are millions."""

    pieces: tuple[Piece, ...] = ()
    failure: Failure | None = None
    duration: timedelta = timedelta()
    usage: Usage | None = None
    #: Measurements in its value; those of a plain number have the name "".
    numbers: Mapping[str, float] | None = None


QUIET = Result()


class Returned(Struct, frozen=True):
    """What a run returned, before it is settled."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: tuple[Piece, ...]
    numbers: Mapping[str, float] | None = None
    remark: str = ""
