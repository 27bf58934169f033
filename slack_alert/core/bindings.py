"""Bindings: what makes an action run, the clock or an event (`Job`), a person (`Command`), or a command (`Guard`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo

from slack_alert.core.commands.command import Command, Guard
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, RunOptions
from slack_alert.core.policy.quota import Policy
from slack_alert.core.rules.rule import Rule
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.triggers import Never, Trigger
from slack_alert.core.structs import Struct, field


class Job(Struct, frozen=True):
    """An action that runs by itself: when it is due, when an event matches its rule, or both.

    With `emits` it is a sensor: its values become events of that name, or of one of these names.
    """

    name: str
    action: Action
    trigger: Trigger
    policy: Policy
    to: Address
    errors_to: Address
    zone: tzinfo
    at_start: bool = False
    emits: tuple[str, ...] = ()
    #: The events of its first run ever are dropped: it only notes what is there.
    has_baseline: bool = False
    #: The text by which its events are recognized that say the same again; empty: none does.
    dedup: str = ""
    rule: Rule | None = None
    run_options: RunOptions = DEFAULT_OPTIONS
    #: The last slot of a wall-clock trigger that was missed still runs, once, while it is younger than this.
    catch_up: timedelta = timedelta()
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind that `check` shows: sensor, rule or job."""
        if self.emits:
            return "sensor"
        return "rule" if isinstance(self.trigger, Never | Absence) else "job"

    @property
    def is_endless(self) -> bool:
        """Whether it is a sensor that runs for ever, in a process of its own, and not at times."""
        return self.run_options.is_endless

    @property
    def pack(self) -> str:
        """The pack that its function is in; empty: it is in none."""
        return self.action.pack.name if self.action.pack is not None else ""

    @property
    def is_absence(self) -> bool:
        """Whether it runs when no event matches its rule for a time, and not when one does."""
        return isinstance(self.trigger, Absence)

    @property
    def shown(self) -> str:
        """The schedule and the rule as text for people."""
        if isinstance(self.trigger, Absence) and self.rule is not None:
            return f"no {' or '.join(self.rule.on)} for {self.trigger.length}"
        if self.is_endless:
            return "runs for ever"
        return ", ".join(filter(None, (self.trigger.describe(), self.rule.describe() if self.rule else "")))


Binding = Job | Command | Guard


def store_name(binding: str) -> str:
    """Return whose values the function of a binding keeps: its pack, or the file or folder below plugins/."""
    return binding.split(".", maxsplit=1)[0]
