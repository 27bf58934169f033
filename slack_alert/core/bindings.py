"""When an action runs: on time or when something was noticed (job), when a person writes (command)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, tzinfo

from slack_alert.core.events import Rule
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import DEFAULT_OPTIONS, Action, RunOptions
from slack_alert.core.policy.quota import Policy
from slack_alert.core.schedule.absent import Absence
from slack_alert.core.schedule.triggers import Never, Trigger
from slack_alert.core.structs import Struct, field


class Job(Struct, frozen=True):
    """An action that runs by itself: when it is due, when an event comes that its rule wants, or both.

    With `emits` it is a sensor, whose values become events.
    """

    name: str
    action: Action
    trigger: Trigger
    policy: Policy
    to: Address
    errors_to: Address
    zone: tzinfo
    at_start: bool = False
    emits: str | None = None
    rule: Rule | None = None
    care: RunOptions = DEFAULT_OPTIONS
    #: A slot of the wall clock that passed unseen still runs, once, while it is younger than this.
    catch_up: timedelta = timedelta()
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The word `check` shows."""
        if self.emits:
            return "sensor"
        return "rule" if isinstance(self.trigger, Never | Absence) else "job"

    @property
    def awaits(self) -> bool:
        """Whether it runs when the events of its rule do not come, and not when they do."""
        return isinstance(self.trigger, Absence)

    @property
    def shown(self) -> str:
        """When it runs, for people."""
        if isinstance(self.trigger, Absence) and self.rule is not None:
            return f"no {' or '.join(self.rule.on)} for {self.trigger.length}"
        return ", ".join(filter(None, (self.trigger.describe(), self.rule.describe() if self.rule else "")))


class Command(Struct, frozen=True):
    """An action that a person asks for by writing its words."""

    name: str
    action: Action
    words: str
    options: Mapping[str, object] = field(default_factory=dict)
    kind: str = "command"

    @property
    def shown(self) -> str:
        """What is written, for people."""
        return f'command "{self.words}"'


Binding = Job | Command
