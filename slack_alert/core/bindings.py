"""When an action runs: on time (job), when a person writes (command), when something was noticed (rule)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from slack_alert.core.model import Action, Address
from slack_alert.core.policy import Policy
from slack_alert.core.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Job:
    """An action with a trigger; with `emits` it is a sensor, whose values become events."""

    name: str
    action: Action
    trigger: Trigger
    policy: Policy
    to: Address
    errors_to: Address
    zone: tzinfo
    at_start: bool = False
    emits: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The word `check` shows."""
        return "sensor" if self.emits else "job"

    @property
    def shown(self) -> str:
        """What the trigger says, for people."""
        return self.trigger.describe()


@dataclass(frozen=True, slots=True)
class Command:
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


@dataclass(frozen=True, slots=True)
class Rule:
    """An action that answers events."""

    name: str
    action: Action
    on: tuple[str, ...]
    where: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    kind: str = "rule"

    @property
    def shown(self) -> str:
        """What it waits for, for people."""
        return "on " + ", ".join(self.on)


Binding = Job | Command | Rule
