"""Lines of section [permissions], `words [arg:value ...] = roles [in #channel ...]`, held against a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from shlex import shlex

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.roles import Member, parse_members
from slack_alert.core.commands.signature import Parameter, ValueKind
from slack_alert.core.errors import BadValue
from slack_alert.core.model.address import Address, complete
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import composed, suggestion
from slack_alert.core.units.quantities import parse_duration


class Conversation(Struct, frozen=True):
    """Where something is asked for: its id, and its name if it has one that is known."""

    service: str
    id: str = ""
    #: Without `#`.
    name: str = ""

    @classmethod
    def of(cls, address: Address, name: str = "") -> Conversation:
        """Return the conversation of an address, which may hold its name or its id."""
        is_name = address.conversation.startswith("#")
        return cls(address.channel, "" if is_name else address.conversation, name or address.conversation[is_name:])

    def is_at(self, place: Place) -> bool:
        """Return whether a line names this conversation."""
        names = {self.id, f"#{composed(self.name)}"} - {"", "#"}
        return self.service == place.service and place.conversation in names


class Place(Struct, frozen=True):
    """A conversation that a line names, by `#name` or by its id."""

    service: str
    conversation: str

    @property
    def shown(self) -> str:
        """The form in which it is written in the configuration."""
        return self.conversation if self.service == "slack" else f"{self.service}:{self.conversation}"


class Condition(Struct, frozen=True):
    """An argument, and what its value has to be like: a text, or a glob."""

    name: str
    pattern: str


class PermissionLine(Struct, frozen=True):
    """A line of section [permissions]."""

    #: Both sides as they are written.
    key: str
    value: str
    words: str
    conditions: tuple[Condition, ...]
    roles: tuple[Member, ...]
    #: Empty: anywhere.
    places: tuple[Place, ...]
    #: `slack_alert.conf` and its line, or a variable and 0.
    file: str = ""
    line: int = 0

    @property
    def shown(self) -> str:
        """The line as it is written."""
        return f"{self.key} = {self.value}"

    @property
    def where(self) -> str:
        """Its file and line."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def concerned(self) -> tuple[str, frozenset[Condition]]:
        """What it is about, in a form that two lines about the same share."""
        return self.words, frozenset(self.conditions)


class LineFault(Struct, frozen=True):
    """Why a line grants nothing to the command that it names."""

    code: str
    message: str
    hint: str


def parse_line(key: str, value: str, *, file: str = "", line: int = 0) -> PermissionLine:
    """Return a line of section [permissions]; raise BadValue. Whether its words mean anything is not known here."""
    words, conditions = parse_asked(key)
    roles, places = _parse_roles(value)
    return PermissionLine(key, value, words, conditions, roles, places, file, line)


def parse_asked(text: str) -> tuple[str, tuple[Condition, ...]]:
    """Return the words and the arguments of `deploy env:prod`; raise BadValue."""
    tokens = _tokens(text)
    words = [token for token in tokens if ":" not in token]
    if not words or ":" in "".join(tokens[: len(words)]):
        raise BadValue(
            f"{text!r} does not begin with the words of a command", hint="Write the words, then the arguments."
        )
    conditions = tuple(_condition(token) for token in tokens[len(words) :])
    return folded(" ".join(words)), conditions


def folded(words: str) -> str:
    """Return the words of a command in the form that is compared."""
    return " ".join(composed(word).removeprefix("/").casefold() for word in words.split())


def names_of(command: Command) -> frozenset[str]:
    """Return all that a command is called, in the form that is compared."""
    return frozenset(map(folded, (command.words, *command.aliases, command.name)))


def lines_for(lines: Sequence[PermissionLine], command: Command) -> list[PermissionLine]:
    """Return the lines that name a command, an alias being the command itself."""
    if not lines:
        return []
    names = names_of(command)
    return [line for line in lines if line.words in names]


def line_fault(line: PermissionLine, command: Command) -> LineFault | None:
    """Return what is wrong with the arguments of a line, or None."""
    parameters = {parameter.name: parameter for parameter in command.parameters}
    faults = (_condition_fault(condition, parameters, command) for condition in line.conditions)
    return next((fault for fault in faults if fault is not None), None)


def matches(line: PermissionLine, command: Command, values: Mapping[str, str]) -> bool:
    """Return whether all arguments of a line are like those values; each of them has one."""
    kinds = {parameter.name: parameter.kind for parameter in command.parameters}
    return all(
        is_like(kinds[condition.name], values[condition.name], condition.pattern) for condition in line.conditions
    )


def is_like(kind: ValueKind, value: str, pattern: str) -> bool:
    """Return whether a value is what a pattern says: equal as values of that kind, or as a text that the glob fits."""
    wanted = _meant(kind, pattern)
    if wanted is not None and wanted == _meant(kind, value):
        return True
    return fnmatchcase(_plain(kind, value), _plain(kind, pattern))


def choices_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the allowed values as texts; empty: any."""
    if parameter.kind is ValueKind.FLAG:
        return ("yes", "no")
    return tuple(map(text_of, parameter.choices))


def _tokens(text: str) -> list[str]:
    lexer = shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        raise BadValue(f"{text!r} has a quote that is not closed", hint="Close it, or take it out.") from None


def _condition(token: str) -> Condition:
    name, colon, pattern = token.partition(":")
    if not colon:
        raise BadValue(f"{token!r} stands behind an argument", hint="Write the words first, then arg:value.")
    if not name.replace("-", "_").isidentifier() or not pattern:
        raise BadValue(f"{token!r} is not an argument with a value", hint="Write one such as env:prod, or env:pr*.")
    try:
        fnmatchcase("", pattern)
    except re.error:  # Python up to 3.10.4 takes `[b-a]` for a range.
        raise BadValue(f"{token!r} is no glob", hint="Write a value, or a glob such as pr*.") from None
    return Condition(name.replace("-", "_"), composed(pattern))


def _parse_roles(value: str) -> tuple[tuple[Member, ...], tuple[Place, ...]]:
    roles, found, places = f" {' '.join(value.split())} ".partition(" in ")
    if not found:
        return parse_members(roles), ()
    named = [word for word in _SEPARATOR.split(places) if word]
    if not named:
        raise BadValue(f"{value!r} names no channel behind `in`", hint="Write ops in #ops, or take `in` out.")
    return parse_members(roles), tuple(dict.fromkeys(map(_place, named)))


def _place(word: str) -> Place:
    service, colon, conversation = word.rpartition(":")
    service = service if colon else "slack"
    if service == "slack":
        shown = Address.parse(conversation, "slack").conversation
        if shown.startswith("@"):
            raise BadValue(f"{word!r} is a person, not a channel", hint="Write a channel such as #ops, or its id.")
        return Place(service, shown)
    if not service.isidentifier() or not conversation:
        raise BadValue(f"{word!r} is not a channel", hint="Write one such as #ops, or its id.")
    return Place(service, complete(conversation) if conversation.startswith("#") else conversation)


def _condition_fault(condition: Condition, parameters: Mapping[str, Parameter], command: Command) -> LineFault | None:
    parameter = parameters.get(condition.name)
    if parameter is None:
        hint = suggestion(condition.name, [*parameters]) if parameters else "It takes none: write the words alone."
        return LineFault("SA302", f"`{command.words}` has no argument `{condition.name}`", hint)
    allowed = choices_of(parameter)
    if allowed and not any(is_like(parameter.kind, choice, condition.pattern) for choice in allowed):
        said = f"`{condition.pattern}` is no value of `{condition.name}`"
        return LineFault("SA303", said, suggestion(condition.pattern, allowed))
    if (
        parameter.kind in _READ
        and not _is_glob(condition.pattern)
        and _meant(parameter.kind, condition.pattern) is None
    ):
        said = f"`{condition.pattern}` is no {parameter.kind}, which `{condition.name}` takes"
        return LineFault("SA303", said, "Correct the value, or write a glob such as *.")
    return None


def _is_glob(pattern: str) -> bool:
    return any(character in "*?[" for character in pattern)


def _plain(kind: ValueKind, text: str) -> str:
    """Return a text for globs, such as a path without the detours that lead to the same file."""
    return composed(str(PurePosixPath(text)) if kind is ValueKind.PATH and text else text)


def _meant(kind: ValueKind, text: str) -> object | None:
    """Return the value that a text is meant to be, or None where it is none, or texts are compared."""
    try:
        return _READ[kind](text) if kind in _READ else None
    except (BadValue, ValueError, OverflowError):
        return None


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _FLAGS:
        raise BadValue(f"{text!r} is neither yes nor no")
    return _FLAGS[lowered]


_SEPARATOR = lazy_pattern(r"[\s,]+")
_FLAGS = dict.fromkeys(("yes", "true", "on", "y", "1"), True) | dict.fromkeys(("no", "false", "off", "n", "0"), False)
#: Kinds of which one value has several spellings.
_READ: Mapping[ValueKind, Callable[[str], object]] = {
    ValueKind.WHOLE: int,
    ValueKind.NUMBER: float,
    ValueKind.FLAG: _flag,
    ValueKind.DURATION: parse_duration,
    ValueKind.DATE: date.fromisoformat,
    ValueKind.DATETIME: datetime.fromisoformat,
}
