"""Who may: one decision for every door, made from the configuration, the asker and what is asked, and never by guess.

Nothing here lets anybody do anything because something is missing: what is not configured, not known or wrong is for
admins, or for nobody.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import product

from slack_alert.core.commands.arguments import text_of
from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permission_lines import (
    Condition,
    Conversation,
    PermissionLine,
    Place,
    choices_of,
    is_like,
    line_fault,
    lines_for,
    matches,
)
from slack_alert.core.commands.roles import (
    ADMINS,
    MEMBERS,
    NO,
    NOBODY,
    Member,
    MemberKind,
    Roles,
    any_of,
    has_given_role,
    membership,
    parse_members,
    roles_of,
    standing_of,
)
from slack_alert.core.commands.signature import Parameter
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AccountStatus, Asker
from slack_alert.core.model.run import Arguments as Values
from slack_alert.core.structs import Struct, field

#: Canonical texts by the names of parameters, of a list all of its items; what is missing has its default.
Arguments = Mapping[str, "str | Sequence[str]"]


class Permissions(Struct, frozen=True):
    """All that the configuration says about who may."""

    roles: Roles = field(default_factory=Roles)
    lines: tuple[PermissionLine, ...] = ()
    #: Who may talk to the bot at all.
    may_use: tuple[Member, ...] = (Member(MemberKind.ROLE, MEMBERS),)


class RuleKind(str, Enum):
    """Where a rule comes from."""

    STANDING = "standing"
    MAY_USE = "may_use"
    LINE = "line"
    MARKER = "marker"
    #: Neither a line nor the marker says who may.
    DEFAULT = "default"
    #: A line that names the command is wrong.
    FAULTY = "faulty line"
    #: An argument has a default that only Python knows, and lines ask for its value.
    UNREADABLE = "unreadable default"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class PermissionRule(Struct, frozen=True):
    """A rule that has to hold: one of these roles, at one of these places; admins need neither."""

    kind: RuleKind
    roles: tuple[Member, ...]
    #: Empty: anywhere.
    places: tuple[Place, ...] = ()
    #: The line or the option as it is written, and its file and line.
    text: str = ""
    where: str = ""
    #: What is wrong with it.
    fault: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether nobody may, admins included."""
        return all(member.id == NOBODY for member in self.roles)


class UnmetRule(Struct, frozen=True):
    """A rule that does not hold, or of which nobody knows now whether it does."""

    rule: PermissionRule
    #: The asker has the role, and asks at another place.
    is_elsewhere: bool = False
    #: What a service does not tell at present: ids of user groups, or `standing`; empty: it does not hold.
    unknown: tuple[str, ...] = ()


class Decision(Struct, frozen=True):
    """Whether somebody may, and why; `denials.explain` has the sentences."""

    is_allowed: bool
    #: The words of the command.
    command: str
    asker: Asker
    #: The roles that the asker is known to have.
    roles: tuple[str, ...]
    #: All rules that had to hold, and those that did not.
    rules: tuple[PermissionRule, ...]
    refusals: tuple[UnmetRule, ...] = ()
    #: The left side of a line about what was asked, which is for nobody but the admins so far.
    line_key: str = ""

    @property
    def is_uncertain(self) -> bool:
        """Whether it may be allowed once the service answers again."""
        return bool(self.refusals) and all(refusal.unknown for refusal in self.refusals)


def decide(
    permissions: Permissions, asker: Asker, command: Command, arguments: Arguments, conversation: Conversation
) -> Decision:
    """Return whether somebody may run a command with these arguments, asked for in that conversation.

    It is asked with what a guard made of the arguments, and again when a later or an approved run begins. Who asks by a
    command for the function of another, as `run JOB` does, needs both rights: `decide_each`.
    """
    rules = (*_gates(permissions, asker), *rules_for(permissions, command, arguments))
    refusals = tuple(found for rule in rules if (found := _refusal(permissions.roles, asker, rule, conversation)))
    # What is known to be refused stays so, whatever else is not known.
    certain = tuple(refusal for refusal in refusals if not refusal.unknown)
    return Decision(
        not refusals,
        command.words,
        asker,
        roles_of(permissions.roles, asker),
        rules,
        certain or refusals,
        _line_key(permissions, command, arguments),
    )


def decide_each(
    permissions: Permissions, asker: Asker, asked: Iterable[tuple[Command, Arguments]], conversation: Conversation
) -> Decision:
    """Return the first refusal of several commands that one line asks for, or the permission for the last.

    `run JOB` asks for `run` with `job=JOB`, and for the command that the same function is, if it is one. Raise
    ValueError where nothing is asked for.
    """
    decisions = [decide(permissions, asker, command, arguments, conversation) for command, arguments in asked]
    if not decisions:
        raise ValueError("nothing is asked for")
    return next((decision for decision in decisions if not decision.is_allowed), decisions[-1])


def decide_spelled(
    permissions: Permissions, asker: Asker, command: Command, spelled: Sequence[Arguments], conversation: Conversation
) -> Decision:
    """Return what `decide` says of arguments that may be written in several ways, such as a name and its last part.

    A line about one of the spellings is about what is meant: lines for all of them must hold, and where there is a line
    for one, no other is taken for one that nothing is said about. Raise ValueError where there is no spelling.
    """
    decisions = [decide(permissions, asker, command, each, conversation) for each in spelled]
    if not decisions:
        raise ValueError("nothing is asked for")
    named = [each for each in decisions if not any(rule.kind is RuleKind.DEFAULT for rule in each.rules)]
    told = named or decisions
    return next((decision for decision in told if not decision.is_allowed), told[-1])


def may_sometimes(permissions: Permissions, asker: Asker, command: Command, conversation: Conversation) -> bool:
    """Return whether there may be arguments with which somebody may run a command, for `help`.

    Each line with arguments is taken by itself, so that this may be true where lines exclude each other.
    """
    conditional = [line for line in lines_for(permissions.lines, command) if line.conditions]
    plain, faulty = _of_command(permissions, command)
    always = [*_gates(permissions, asker), *faulty, *plain, *_of_marker(command)]
    # A line with arguments need not match; where nothing else says who may, the default does then.
    otherwise = [] if plain or _of_marker(command) else [_default(command)]
    ways = [*([_of_line(line)] for line in conditional), otherwise]
    return any(
        all(_refusal(permissions.roles, asker, rule, conversation) is None for rule in (*always, *way)) for way in ways
    )


def rules_for(permissions: Permissions, command: Command, arguments: Arguments) -> tuple[PermissionRule, ...]:
    """Return the rules that must all hold for a command with these arguments: for each item of a list its own."""
    lines = lines_for(permissions.lines, command)
    plain, faulty = _of_command(permissions, command)
    if faulty:
        # A line that was meant to say who may says nothing now, so that nobody may count on the others.
        return (*faulty, *plain, *_of_marker(command))
    conditional = [line for line in lines if line.conditions]
    found: dict[PermissionRule, None] = {}
    for values in _each_item(command, arguments, conditional):
        if values is None:
            found[_unreadable(command)] = None
            continue
        asked = [_of_line(line) for line in conditional if matches(line, command, values)]
        rules = [*plain, *asked, *_of_marker(command)]
        found |= dict.fromkeys(rules or [_default(command)])
    return tuple(found)


def default_texts(parameter: Parameter) -> tuple[str, ...] | None:
    """Return a default as a person would write it, of a list all of its items; None where only Python knows it."""
    if not parameter.default:
        return ("",)
    try:
        value = literal_eval(parameter.default)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # `Env.PROD` is the choice `PROD`.
        choice = parameter.default.rpartition(".")[2] if parameter.enum else parameter.default
        return (choice,) if choice in choices_of(parameter) else None
    items = tuple(value) if isinstance(value, list | tuple | set) else (value,)
    if not all(item is None or isinstance(item, str | int | float) for item in items):
        return None
    return tuple("" if item is None else text_of(item) for item in items) or ("",)


def argument_texts(command: Command, arguments: Values) -> Arguments:
    """Return the arguments of a command as `decide` compares them: one text each, of a list each item's."""
    rest = {each.name: arguments.rest for each in command.parameters if each.is_variadic and arguments.rest}
    return {
        name: tuple(map(text_of, value)) if isinstance(value, list | tuple) else text_of(value)
        for name, value in {**arguments.values, **rest}.items()
    }


def groups_of(permissions: Permissions, commands: Iterable[Command] = ()) -> tuple[str, ...]:
    """Return the ids of all user groups that may decide, those in the markers of commands included."""
    roles = permissions.roles
    named = [*roles.admins, *permissions.may_use, *(each for members in roles.named.values() for each in members)]
    named += [member for line in permissions.lines for member in line.roles]
    named += [member for command in commands for member in marker_members(command)]
    return tuple(dict.fromkeys(member.id for member in named if member.kind is MemberKind.GROUP))


def marker_members(command: Command) -> tuple[Member, ...]:
    """Return whom a marker names; what names nobody is left out, as `check` says."""
    return tuple(member for name in command.allow for member in _members_or_none(name))


def _gates(permissions: Permissions, asker: Asker) -> Iterator[PermissionRule]:
    """Yield what has to hold whatever is asked for."""
    if has_given_role(asker):
        return
    if standing_of(permissions.roles, asker) in _NEVER:
        yield PermissionRule(RuleKind.STANDING, (Member(MemberKind.ROLE, NOBODY),))
    text = f"may_use = {', '.join(member.shown for member in permissions.may_use)}"
    yield PermissionRule(RuleKind.MAY_USE, permissions.may_use, text=text)


def _refusal(roles: Roles, asker: Asker, rule: PermissionRule, conversation: Conversation) -> UnmetRule | None:
    """Return why a rule does not hold, or None if it does."""
    is_admin = NO if rule.is_closed else membership(roles, asker, [_ADMINS])
    has_role = membership(roles, asker, rule.roles)
    is_here = not rule.places or any(map(conversation.is_at, rule.places))
    answer = any_of((is_admin, has_role if is_here else NO))
    if answer.is_yes:
        return None
    return UnmetRule(rule, is_elsewhere=not is_here and has_role.is_yes, unknown=tuple(sorted(answer.unknown)))


def _of_command(permissions: Permissions, command: Command) -> tuple[list[PermissionRule], list[PermissionRule]]:
    """Return the rules of lines without arguments, and those that stand in for lines that are wrong."""
    plain, faulty = [], []
    for line in lines_for(permissions.lines, command):
        fault = line_fault(line, command)
        if fault is not None:
            said = f"{fault.message}. {fault.hint}"
            faulty.append(PermissionRule(RuleKind.FAULTY, (_ADMINS,), text=line.shown, where=line.where, fault=said))
        elif not line.conditions:
            plain.append(_of_line(line))
    return plain, faulty


def _of_line(line: PermissionLine) -> PermissionRule:
    return PermissionRule(RuleKind.LINE, line.roles, line.places, line.shown, line.where)


def _of_marker(command: Command) -> list[PermissionRule]:
    if not command.allow:
        return []
    text = ", ".join(command.allow)
    where = f"{command.action.file}:{command.action.line}"
    return [PermissionRule(RuleKind.MARKER, marker_members(command) or (_ADMINS,), text=f"allow = {text}", where=where)]


def _members_or_none(name: str) -> tuple[Member, ...]:
    try:
        return parse_members(name)
    except BadValue:
        return ()


def _default(command: Command) -> PermissionRule:
    return PermissionRule(RuleKind.DEFAULT, (_MEMBERS if command.is_reading else _ADMINS,))


def _unreadable(command: Command) -> PermissionRule:
    return PermissionRule(RuleKind.UNREADABLE, (_ADMINS,), where=f"{command.action.file}:{command.action.line}")


def _each_item(
    command: Command, arguments: Arguments, lines: Sequence[PermissionLine]
) -> Iterator[Mapping[str, str] | None]:
    """Yield values of the parameters that lines ask for, one of each list at a time; None: there is a value unknown.

    Of items that fit the same patterns only the first is taken, so that long lists cost no more than short ones.
    """
    asked: dict[str, list[Condition]] = {}
    for condition in (condition for line in lines for condition in line.conditions):
        asked.setdefault(condition.name, []).append(condition)
    items = []
    for parameter in command.parameters:
        if parameter.name not in asked:
            continue
        values = _values(parameter, arguments)
        if values is None:
            yield None
            return
        kinds = {
            tuple(is_like(parameter.kind, value, each.pattern) for each in asked[parameter.name]): value
            for value in reversed(values)
        }
        items.append([(parameter.name, value) for value in kinds.values()])
    yield from map(dict, product(*items))


def _values(parameter: Parameter, arguments: Arguments) -> Sequence[str] | None:
    """Return the values of an argument, of an absent one its default; None where that is not known."""
    given = arguments.get(parameter.name)
    if given is None:
        return None if parameter.is_required and not parameter.is_variadic else default_texts(parameter)
    return (given,) if isinstance(given, str) else tuple(given) or ("",)


def _line_key(permissions: Permissions, command: Command, arguments: Arguments) -> str:
    """Return the left side of a line about just this, with those arguments that other lines ask for."""
    asked = dict.fromkeys(
        condition.name for line in lines_for(permissions.lines, command) for condition in line.conditions
    )
    parameters = {parameter.name: parameter for parameter in command.parameters}
    words = [command.words]
    for name in asked:
        values = _values(parameters[name], arguments) if name in parameters else None
        if values and len(values) == 1 and not parameters[name].is_secret and _is_plain(values[0]):
            words.append(f"{name}:{values[0]}")
    return " ".join(words)


def _is_plain(value: str) -> bool:
    return value != "" and all(character.isalnum() or character in "-_./" for character in value)


_ADMINS, _MEMBERS = (Member(MemberKind.ROLE, name) for name in (ADMINS, MEMBERS))
_NEVER = frozenset({AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER})
