"""Run plain Python functions on a schedule and post their results to a team's chat."""

# Without `from __future__ import annotations`: a TypedDict compiles each text of a type.
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Unpack

    from slack_alert.engine.context.context import Context

__all__ = ["Context", "Keywords", "__version__", "deco"]

__version__ = "1.0.0"

# Any: a plugin may take and return what it likes.
_Function = TypeVar("_Function", bound="Callable[..., Any]")


class Keywords(TypedDict, total=False):
    """The keywords of a marker. A duration is a number of seconds (of minutes in `pause_time`), or `"1h30m"`."""

    # When the function runs: one of these at least. The numbers are summed.
    weeks: float
    days: float
    hours: float
    minutes: float
    seconds: float
    #: Five fields, `"0 9 * * mon-fri"`, or `"@daily"`; or a list of them.
    cron: str | list[str]
    #: `"2026-12-24T09:00"`: once; beside whole days or weeks `"09:00"`: the time of day.
    at: str
    #: The words that people write in the chat; of a list the first is the name, and the others mean the same.
    command: str | list[str]
    on: str | list[str]
    emits: str | list[str]
    guard: str | list[str]

    # How it runs, and where its messages go; for a keyword that is left out the configuration counts.
    name: str
    enabled: bool | str
    to: str
    errors_to: str
    timezone: str
    start: str
    end: str
    jitter: float | str
    at_start: bool
    working_hours: str
    max_alert: int
    pause_time: float | str
    while_paused: Literal["skip", "mute"]
    where: dict[str, object]
    any: list[dict[str, object]]
    all: list[dict[str, object]]
    not_: dict[str, object]
    within: str
    at_most: str
    collect: float | str
    otherwise: bool
    params: dict[str, object]
    absent: float | str
    dedup: str
    after: int
    repeat: Literal["post", "change", "thread", "update"]
    remind: float | str
    recover: bool
    escalate: str
    catch_up: float | str
    baseline: bool
    timeout: float | str
    retries: int
    retry_delay: float | str
    queue: str | None
    lock: str
    isolation: str
    memory_limit: str
    cpu_limit: float | str
    allow: str | list[str]
    confirm: bool | str
    approve: bool | str | list[str]
    choices: dict[str, str]
    hidden: bool


def deco(**keywords: "Unpack[Keywords]") -> "Callable[[_Function], _Function]":  # noqa: ARG001 - they are read, not run
    """Mark a function as a job; for editors and linters that insist on a name they can look up.

    It does nothing: the function stays as it is. slack-alert reads the keywords from the source, so a plugin works
    just as well without importing this, under any name. A marker names when the function runs and, where it differs
    from the configuration, how:

        @deco(minutes=5)                                    every five minutes
        @deco(days=1, at="09:00", timezone="Asia/Tokyo")    every day at nine in Tokyo
        @deco(cron="0 9 * * mon-fri", to="#ops")            on working days at nine, told in #ops
        @deco(hours=1, max_alert=1, pause_time="4h")        hourly; after an alert it rests for four hours

    When: `weeks days hours minutes seconds` (numbers above 0, summed), `cron`, `at`; `command`, `on`, `emits`, `guard`.
    Limits of that: `start end jitter at_start enabled`.
    Where it is said: `to errors_to`; under which name: `name`; on which clock: `timezone`.
    How often: `working_hours max_alert pause_time while_paused`.
    Of one incident: `after repeat remind recover escalate`.
    `Keywords` has all of them with their types.
    """
    return _unchanged


def _unchanged(function: _Function) -> _Function:
    return function


def __getattr__(name: str) -> object:
    """Return the class of `ctx`, for annotations; it is imported at its first use."""
    if name == "Context":
        from slack_alert.engine.context.context import Context

        return Context
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
