"""The parameters of a command, as its function's signature declares them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from slack_alert.core.structs import Struct


class ValueKind(str, Enum):
    """What the words of an argument become."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "yes or no"
    #: One of `choices`, as it is written there: of a Literal, or the name of an Enum's member.
    CHOICE = "choice"
    DATETIME = "date and time"
    DATE = "date"
    DURATION = "duration"
    PATH = "path"

    def __str__(self) -> str:
        """Return the words users see."""
        return self.value


class Parameter(Struct, frozen=True):
    """A parameter of a command."""

    name: str
    kind: ValueKind = ValueKind.TEXT
    #: The allowed values, where there are only some; of a Literal as Python wrote them.
    choices: tuple[str | int | bool, ...] = ()
    #: It takes several words: `list[T]`, or `*args`.
    is_list: bool = False
    #: `*args`: all words that are left.
    is_variadic: bool = False
    is_required: bool = True
    #: Given by name only.
    is_named: bool = False
    #: The default as Python source, for people and for permissions; empty: there is none, or it is None.
    default: str = ""
    #: Masked everywhere.
    is_secret: bool = False
    #: Its text may begin with `-`.
    takes_dash: bool = False
    #: The class whose member a choice becomes when the function is called; empty: the choice itself.
    enum: str = ""


class CommandSignature(Protocol):
    """What a line of words is compared with; a `Command` is one."""

    @property
    def name(self) -> str:
        """Its full name, such as `deploys.deploy`."""

    @property
    def words(self) -> str:
        """The words that people write."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other words that mean the same."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its parameters, in the order of the signature."""
