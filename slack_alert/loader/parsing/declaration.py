"""What a marker says, as written: the step between the source and the bindings, and what the cache keeps."""

from __future__ import annotations

from collections.abc import Mapping
from types import CodeType

from slack_alert.core.catalog import Problem
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed


class Declaration(Struct, frozen=True):
    """A marked function at module level."""

    function: str
    #: Where the module keeps the function: its name, unless something else in the file takes that.
    attribute: str
    #: The marker's.
    line: int
    column: int
    keywords: Mapping[str, object]
    #: Whether a time keyword was written, with whatever value.
    is_timed: bool
    doc: str | None
    #: Parameters that a call without arguments would miss; `ctx` is none of them.
    required: tuple[str, ...]
    #: Parameters that an event may fill in, where it answers events.
    parameters: tuple[str, ...]
    takes_context: bool
    is_async: bool
    #: False: a problem keeps it out already.
    is_sound: bool

    @property
    def is_called_alone(self) -> bool:
        """Whether it is called without an event, so that nothing but `ctx` is given to it."""
        return self.is_timed or "absent" in self.keywords

    def name_in(self, file: str) -> str:
        """Return the full name of its job, below that of its file."""
        return composed(f"{file}.{self.keywords.get('name', self.function)}")

    @property
    def is_enabled(self) -> bool:
        """Return whether its author wants it to run."""
        return self.keywords.get("enabled") is not False


class FileReading(Struct, frozen=True):
    """All that one plugin file says; `code` is None where it cannot run."""

    declarations: tuple[Declaration, ...] = ()
    problems: tuple[Problem, ...] = ()
    code: CodeType | None = None
