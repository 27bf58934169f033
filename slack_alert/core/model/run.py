"""Actions, runs and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from slack_alert.core.content.render import Piece
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import Asker
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Usage, Verdict
from slack_alert.core.retry import backoff
from slack_alert.core.structs import Struct, Word, field

if TYPE_CHECKING:
    from slack_alert.core.pack import Pack

#: In characters: so much of what a run prints is kept apart for its last lines, which secrets may lie across.
LOOKED_AT = 20_000
#: Longest delay between retries, unless the first delay is longer already.
LONGEST_DELAY = timedelta(hours=1)


class Isolation(Word):
    """Where a function runs."""

    NONE = "none"
    #: In a separate process, which can be killed.
    PROCESS = "process"


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
    #: A sensor that runs for ever: what it yields is kept before it goes on, and it is closed at the end.
    is_endless: bool = False

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
    #: The pack that it is in, if any.
    pack: Pack | None = None
    #: Those of them without a default.
    required: tuple[str, ...] = ()
    #: What some of them are made of: `{event.path}`; the others are the fields of their names.
    params: Mapping[str, object] | None = None


class Arguments(Struct, frozen=True):
    """The values of a command's words."""

    #: By the names of the parameters, in their order; of an Enum the name of the member.
    values: Mapping[str, object] = field(default_factory=dict)
    #: Those of `*args`.
    rest: tuple[object, ...] = ()
    #: By the names of parameters, the Enum classes whose members the function takes.
    enums: Mapping[str, str] = field(default_factory=dict)


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
    #: The kind by which it is counted, if `kind` has more than that.
    category: str = ""
    #: Of a run that may be retried, the attempt that failed, which the last line of the traceback tells; else 0.
    attempt: int = 0


class Recent(Protocol):
    """The last of what a run and its programs print."""

    #: The number of characters so far.
    length: int

    def add(self, text: str) -> None:
        """Add what was printed."""

    def text(self) -> str:
        """Return the last of it."""


class RunOutput(Struct):
    """What an executor gathers of a run whose function prints, posts or is awaited."""

    printed: list[str] = field(default_factory=list)
    #: Number of characters printed so far, kept or not.
    length: int = 0
    #: The output since the last line end, and how the capturing stream passes it on.
    line: str = ""
    end_line: Callable[[], None] | None = None
    #: What its programs print, with what it prints itself since the first of them; None: it has started none.
    recent: Recent | None = None
    #: Size of what it has posted or tried to post so far, against the limit of one run.
    volume: int = 0
    #: The generator whose values are posted, or what is awaited, while it is running.
    values: object = None
    #: Cancels the awaitable that its function returned, while that is running.
    cancel: Callable[[], object] | None = None
    #: Commits values that a sensor has set together with the events that are held; returns a function that waits for
    #: it, or None if there is nothing. None: events are not held, and values are saved alone.
    commit: Callable[[Sequence[Any]], Callable[[], None] | None] | None = None  # Any: entries of a store lie above
    #: The events that it has emitted since the last time.
    held_events: list[Any] = field(default_factory=list)  # Any: they lie above
    #: Saves what a sensor has set in `ctx.store`; returns a function that waits for it, or None if nothing has to.
    keep_values: Callable[[], Callable[[], None] | None] = lambda: None
    #: Takes back what a sensor has set since then: it has failed before all was noticed up to there.
    drop_values: Callable[[], None] = lambda: None

    def end(self) -> None:
        """End the output as the function has returned."""
        self.values = None
        self.keep_values()  # Values set after the last event; nothing waits for them.
        if self.end_line is not None:
            self.end_line()


class RunPosts(Struct, frozen=True):
    """What a run has posted so far, which decides how its next messages are settled."""

    id: int
    binding: str
    slot: datetime
    #: Number of messages posted so far (`ctx.say`, `yield`).
    said: int = 0
    #: It posted something while muted.
    is_withheld: bool = False
    #: The reasons for the verdict on its first message, and whether these withhold all further ones.
    reasons: tuple[Reason, ...] = ()
    is_hushed: bool = False
    #: Pieces to be posted together with the next ones, to other addresses.
    elsewhere: tuple[tuple[Address, Piece], ...] = ()
    #: Remark that it took longer than usual, added to what it posts at its end.
    slow: str = ""


class RunProgress(Struct):
    """How far a run is: noted by the engine; by its executor only when it starts, and when it is given up."""

    started: datetime | None = None
    #: None: its function has not printed, posted or awaited anything yet.
    output: RunOutput | None = None
    #: None: nothing was posted, or withheld.
    posts: RunPosts | None = None
    #: The addresses of its messages; the texts that it posted, or would have posted while muted, as they were posted
    #: and as its function said them.
    told: tuple[Address, ...] = ()
    texts: tuple[str, ...] = ()
    own_texts: tuple[str, ...] = ()
    #: Pieces to be posted together at its end, with their addresses.
    held: tuple[tuple[Address, Piece], ...] = ()
    #: Number of messages withheld because it reached the limit of one run.
    withheld: int = 0
    #: Its function should end; what it still posts or returns is ignored.
    is_canceled: bool = False
    #: Its result is in the journal, and not yet in the store.
    is_kept: bool = False
    #: Its start is in the store: if the process is killed, it is recorded as `interrupted`.
    is_noted: bool = False
    #: Its function has returned; its messages are being committed.
    has_returned: bool = False
    #: Timed out, and its function is still running in this process, where it cannot be stopped.
    is_stuck: bool = False
    #: Called when the function of a stuck run has returned after all; set by the code that waits for it.
    released: Callable[[], None] | None = None
    #: How far its function says it is (`ctx.progress`): from 0 to 1, and at what.
    fraction: float | None = None
    step: str = ""
    #: Remarks for the history, such as that it was caught up, or retried.
    remarks: tuple[Reason, ...] = ()


class AskedBy(Struct, frozen=True):
    """The person who asked for a run, as its function sees it: `ctx.by`."""

    #: The account's id in its service, and the key by which it is recorded.
    id: str
    key: str
    name: str
    #: The chat service.
    chat: str
    roles: tuple[str, ...] = ()
    #: What the service says of the account: the verbs that come with the program decide again by it.
    asker: Asker | None = None


class Run(Struct, frozen=True):
    """One execution of an action."""

    id: int
    binding: str
    action: Action
    slot: datetime
    #: The person who asked for it, if any; policies apply only to runs nobody asked for.
    asked_by: str | None = None
    #: The fields of the event, for a rule; empty where it answers several.
    event: Mapping[str, object] | None = None
    #: The names of the events its values become, for a sensor.
    emits: tuple[str, ...] = ()
    run_options: RunOptions = DEFAULT_OPTIONS
    progress: RunProgress = field(default_factory=RunProgress)
    #: What was typed, for a command.
    arguments: Arguments | None = None
    by: AskedBy | None = None
    #: Where the person is answered.
    reply_to: Address | None = None
    #: The fields of the events that it answers together, the oldest first.
    collected: tuple[Mapping[str, object], ...] = ()
    #: The id of the event that it answers, its name, and how many events led to that one.
    cause: int = 0
    event_name: str = ""
    depth: int = 0

    @property
    def posts(self) -> RunPosts:
        """What it has posted so far."""
        return self.progress.posts or RunPosts(self.id, self.binding, self.slot)

    @property
    def printed(self) -> str | None:
        """What it has printed so far."""
        output = self.progress.output
        return "".join(output.printed) or None if output else None

    @property
    def is_resumable(self) -> bool:
        """Whether it is described by its return value alone; the slots of other runs run again after a kill."""
        return not (self.asked_by or self.event is not None or self.progress.texts or self.progress.held)


def output_of(run: Run) -> RunOutput:
    """Return the output of a run, to be filled."""
    if run.progress.output is None:
        run.progress.output = RunOutput()
    return run.progress.output


class Result(NamedTuple):
    """The result of a run: pieces to post (empty: quiet), or a failure. A tuple, because there are millions."""

    pieces: tuple[Piece, ...] = ()
    failure: Failure | None = None
    duration: timedelta = timedelta()
    usage: Usage | None = None
    #: Measurements in its value; those of a plain number have the name "".
    numbers: Mapping[str, float] | None = None


QUIET = Result()


class Returned(Struct, frozen=True, array_like=True):
    """What a run returned, before it is settled."""

    run: int
    binding: str
    slot: datetime
    started: datetime | None
    duration: timedelta
    pieces: tuple[Piece, ...]
    numbers: Mapping[str, float] | None = None
    remarks: tuple[Reason, ...] = ()
