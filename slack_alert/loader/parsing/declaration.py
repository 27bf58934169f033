"""Hold a marker as it is written: the step between source and bindings, and the content of the reading cache."""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType
from typing import Any

from slack_alert.core.catalog import Problem
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.structs import Struct, astuple
from slack_alert.core.units.names import composed


def plain_fields(parameter: Parameter) -> tuple[Any, ...]:
    """Return the fields of a parameter as plain values, as the cache keeps them."""
    name, kind, *rest = astuple(parameter)
    return name, kind.value, *rest


class Declaration(Struct, frozen=True):
    """A marked function at module level."""

    function: str
    #: The module's attribute that holds the function: its name, unless something else in the file takes that name.
    attribute: str
    #: The position of the marker.
    line: int
    column: int
    keywords: Mapping[str, object]
    #: Whether a time keyword was written, with any value.
    is_timed: bool
    doc: str | None
    #: Parameters that a call without arguments would miss; without `ctx`.
    required: tuple[str, ...]
    #: Parameters that an event may fill in, if the function answers events.
    parameters: tuple[str, ...]
    takes_context: bool
    is_async: bool
    #: False: it has a problem already that excludes it.
    is_sound: bool
    #: Of a command: its parameters as plain values, and the lines of its docstring that show how it is written.
    signature: tuple[tuple[Any, ...], ...] = ()  # Any: the fields of a Parameter
    examples: tuple[str, ...] = ()
    #: It has `emits` and no other trigger, and is a generator as far as its source shows: a sensor that runs for ever.
    is_endless: bool = False
    #: It has `recover`, and no run of it can be quiet, which is what ends an incident.
    never_recovers: bool = False

    @property
    def command_parameters(self) -> tuple[Parameter, ...]:
        """The parameters of a command."""
        return tuple([Parameter(name, ValueKind(kind), *rest) for name, kind, *rest in self.signature])

    @property
    def is_called_alone(self) -> bool:
        """Whether it is called without an event, so that it gets no argument but `ctx`."""
        return self.is_timed or self.is_endless or "absent" in self.keywords

    @property
    def params(self) -> Mapping[str, object] | None:
        """What parameters are made of."""
        params = self.keywords.get("params")
        return params if isinstance(params, dict) else None

    def name_in(self, file: str) -> str:
        """Return the full name of its job, below the name of its file, which is composed as Python's names are."""
        own = composed(str(self.keywords["name"])) if "name" in self.keywords else self.function
        return f"{file}.{own}"

    @property
    def is_enabled(self) -> bool:
        """Whether its author wants it to run."""
        return self.keywords.get("enabled") is not False


class FileReading(Struct, frozen=True):
    """Everything read from a plugin file; `code` is None if it cannot run."""

    declarations: tuple[Declaration, ...] = ()
    problems: tuple[Problem, ...] = ()
    code: CodeType | None = None
