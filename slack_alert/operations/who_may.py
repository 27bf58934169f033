"""Tell who may run a command with some arguments: everybody whom the configuration names, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slack_alert.core.commands.command import Command
from slack_alert.core.commands.permission_lines import (
    Conversation,
    PermissionLine,
    Place,
    folded,
    line_fault,
    lines_for,
    names_of,
    parse_line,
)
from slack_alert.core.commands.permissions import (
    Arguments,
    PermissionRule,
    Permissions,
    RuleKind,
    decide,
    default_texts,
    marker_members,
    rules_for,
)
from slack_alert.core.commands.roles import ADMINS, MemberKind, named_people, roles_of
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.core.structs import Struct
from slack_alert.core.units.names import suggestion

#: Chats whose people can ask.
_CHATS = ("slack", "dingtalk")
_NOWHERE = Conversation("")


class MayLine(Struct, frozen=True):
    """Somebody, and whether he may."""

    #: An id, a user group, or a kind of people: `members`, `guests`, `terminal`.
    who: str
    roles: tuple[str, ...]
    may: bool
    #: Where, if not everywhere.
    places: tuple[str, ...] = ()
    #: The rules that refuse, as they are written, with their places.
    refused_by: tuple[str, ...] = ()


class WhoMay(Struct, frozen=True):
    """Who may run a command with these arguments."""

    command: str
    arguments: Arguments
    #: The rules that must all hold, as they are written, with their places.
    rules: tuple[str, ...]
    lines: tuple[MayLine, ...]


def who_may(permissions: Permissions, commands: Iterable[Command], text: str) -> WhoMay:
    """Return who may do what a text such as `deploy env:prod` asks for; raise BadValue if it asks for nothing.

    People are taken for members of the workspace who are in no user group but those shown: what the chat service says
    of them is not asked for.
    """
    command, arguments = _asked(permissions, list(commands), text)
    rules = rules_for(permissions, command, arguments)
    people = [*_people(permissions, command), *_KINDS]
    lines = tuple(_line(permissions, who, asker, (command, arguments), rules) for who, asker in people)
    return WhoMay(command.words, arguments, tuple(map(_written, rules)), lines)


def _asked(permissions: Permissions, commands: Sequence[Command], text: str) -> tuple[Command, Arguments]:
    line = parse_line(text, ADMINS)
    command = next((each for each in commands if line.words in names_of(each)), None)
    if command is None:
        names = list(dict.fromkeys(each.words for each in commands))
        hint = suggestion(line.words, names) if names else "The plugins declare none."
        raise BadValue(f"There is no command `{line.words}`.", hint=hint)
    _check(permissions, line, command)
    lists = {each.name for each in command.parameters if each.is_list or each.is_variadic}
    values = {each.name: (each.pattern,) if each.name in lists else each.pattern for each in line.conditions}
    return command, values


def _check(permissions: Permissions, line: PermissionLine, command: Command) -> None:
    if fault := line_fault(line, command):
        raise BadValue(f"{fault.message}.", hint=fault.hint)
    for condition in line.conditions:
        if any(character in "*?[" for character in condition.pattern):
            raise BadValue(f"`{condition.pattern}` is a glob.", hint="Ask about a value: the one that somebody types.")
    given = {condition.name for condition in line.conditions}
    asked = {each.name for line in lines_for(permissions.lines, command) for each in line.conditions}
    for parameter in command.parameters:
        is_open = parameter.is_required and not parameter.is_variadic
        if parameter.name in asked - given and (is_open or default_texts(parameter) is None):
            hint = f"Write {folded(command.words)} {parameter.name}:VALUE."
            raise BadValue(f"It depends on `{parameter.name}`, which is not said.", hint=hint)


def _people(permissions: Permissions, command: Command) -> Iterator[tuple[str, Asker]]:
    """Yield everybody whom the configuration or the marker names, and who can ask."""
    roles = permissions.roles
    written = [*roles.admins, *(member for members in roles.named.values() for member in members)]
    written += [member for line in lines_for(permissions.lines, command) for member in line.roles]
    written += [*permissions.may_use, *marker_members(command)]
    seen: set[str] = set()
    for member in sorted(named_people(roles, written), key=lambda each: (each.kind is MemberKind.GROUP, each.id)):
        accounts = roles.people.get(member.id, (member.id,))
        if member.kind is MemberKind.GROUP:
            yield member.shown, Asker(Identity("slack", "", ""), AccountStatus.MEMBER, frozenset([member.id]))
        elif member.kind is MemberKind.PERSON and accounts[0] not in seen:
            seen.add(accounts[0])
            account = next((each for each in accounts if each.startswith(_CHATS)), None)
            if account is not None:
                service, _, user = account.partition(":")
                yield _named(accounts), Asker(Identity(service, "", user), AccountStatus.MEMBER)


def _named(accounts: Sequence[str]) -> str:
    first, *others = (account.removeprefix("slack:") for account in accounts)
    return f"{first} ({', '.join(others)})" if others else first


def _line(
    permissions: Permissions, who: str, asker: Asker, asked: tuple[Command, Arguments], rules: Iterable[PermissionRule]
) -> MayLine:
    has = roles_of(permissions.roles, asker)
    nowhere = decide(permissions, asker, *asked, _NOWHERE)
    if nowhere.is_allowed:
        return MayLine(who, has, may=True)
    places = dict.fromkeys(place for rule in rules for place in rule.places)
    there = {place: decide(permissions, asker, *asked, _at(place)) for place in places}
    open_at = tuple(place.shown for place, decision in there.items() if decision.is_allowed)
    # What refuses at the best of all places would refuse everywhere.
    least = min([nowhere, *there.values()], key=lambda decision: len(decision.refusals))
    return MayLine(who, has, bool(open_at), open_at, tuple(_written(refusal.rule) for refusal in least.refusals))


def _at(place: Place) -> Conversation:
    return Conversation(place.service, place.conversation)


def _written(rule: PermissionRule) -> str:
    """Return a rule as it is written, with its place."""
    if rule.kind is RuleKind.DEFAULT:
        return f"nothing says who may: {', '.join(member.shown for member in rule.roles)}"
    said = f": {rule.fault}" if rule.fault else ""
    return f"{rule.text} ({rule.where}{said})" if rule.where else rule.text


_KINDS = (
    ("any other member", Asker(Identity("slack", "", ""), AccountStatus.MEMBER)),
    ("a guest", Asker(Identity("slack", "", ""), AccountStatus.GUEST)),
    ("the terminal", Asker(Identity("cli", "", ""), AccountStatus.TERMINAL)),
)
