"""Parse the sections [roles], [permissions] and [people], and what [chat] says about who may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

from slack_alert.core.commands.permission_lines import PermissionLine, parse_line
from slack_alert.core.commands.permissions import Permissions
from slack_alert.core.commands.roles import (
    ADMINS,
    BUILT_IN,
    Member,
    MemberKind,
    Roles,
    circle,
    parse_account,
    parse_member,
    parse_members,
)
from slack_alert.core.errors import BadValue
from slack_alert.settings.secret import settings_error
from slack_alert.settings.value_sources import GivenValue, SettingFault

_T = TypeVar("_T")
Written = Mapping[str, GivenValue]


def read_rights(
    roles: Written, lines: Written, people: Written, chat: Written, faults: list[SettingFault]
) -> Permissions | None:
    """Return the permissions of a configuration, None where they are the default; add the faults found here.

    `chat` has the keys of [chat] and [web] that are set: admins, may_use, cli_role, token_role.
    """
    reading = _Reading(faults)
    roles, lines, people = map(_in_order, (roles, lines, people))
    named = dict(reading.roles(roles))
    said = {key: reading.members(given) for key, given in chat.items()}
    read = tuple(reading.lines(lines))
    joined = dict(reading.people(people))
    given = {key: said.get(key, getattr(Roles(), key)) for key in _OF_DOORS}
    known = Roles(named, said.get("admins", ()), people=joined, **given)
    reading.check_roles({**roles, **chat}, {**named, **said}, known)
    reading.check_lines(read, lines, known)
    reading.check_circles(roles, chat, {**named, ADMINS: known.admins})
    for key, who in _OF_DOORS.items():
        reading.check_door(chat.get(key), given[key], who)
    found = Permissions(known, read, said.get("may_use", Permissions().may_use))
    return None if found == Permissions() else found


#: The keys of the roles that a door gives, and who comes by it.
_OF_DOORS = {"cli_role": "users of this machine have", "token_role": "who shows a token has"}


class _Reading:
    """Collects the faults of what is read."""

    def __init__(self, faults: list[SettingFault]) -> None:
        self._faults = faults

    def roles(self, written: Written) -> Iterator[tuple[str, tuple[Member, ...]]]:
        for name, given in written.items():
            if self._parsed(given, partial(_own_role, name)) is not None:
                yield name, self.members(given)

    def members(self, given: GivenValue) -> tuple[Member, ...]:
        return self._parsed(given, partial(_members, given.text)) or ()

    def lines(self, written: Written) -> Iterator[PermissionLine]:
        seen: dict[object, PermissionLine] = {}
        for key, given in written.items():
            line = self._parsed(given, partial(_line, key, given))
            if line is None:
                continue
            first = seen.setdefault(line.concerned, line)
            if first is not line:
                said = f"it is about the same as `{first.shown}` ({first.where})"
                self._report(given, BadValue(said, hint="Keep one of the two."))
            yield line

    def people(self, written: Written) -> Iterator[tuple[str, tuple[str, ...]]]:
        seen: dict[str, GivenValue] = {}
        for key, given in written.items():
            accounts = self._parsed(given, partial(_accounts, key, given))
            for account in accounts or ():
                first = seen.setdefault(account, given)
                if first is not given:
                    said = f"{account} belongs to somebody else already ({first.where})"
                    self._report(given, BadValue(said, hint="Write all accounts of a person into one line."))
                yield account, accounts or ()

    def check_roles(self, written: Written, read: Mapping[str, tuple[Member, ...]], known: Roles) -> None:
        """Report each role that is named and not there."""
        for name, members in read.items():
            self._check_members(written[name], members, known)

    def check_lines(self, lines: Iterable[PermissionLine], written: Written, known: Roles) -> None:
        for line in lines:
            self._check_members(written[line.key], line.roles, known)

    def check_circles(self, roles: Written, chat: Written, named: Mapping[str, tuple[Member, ...]]) -> None:
        for name in named:
            way = circle(named, name)
            given = roles.get(name) or chat.get(name)
            # Told of the first name in it alone.
            if way and given is not None and name == min(way):
                said = f"the role is within itself: {' > '.join(way)}"
                self._report(given, BadValue(said, hint="Take it out of one of them."))

    def check_door(self, given: GivenValue | None, members: tuple[Member, ...], who: str) -> None:
        for member in members:
            if given is not None and member.kind is not MemberKind.ROLE:
                said = f"{member.shown} is not a role, and {who} no ids of a chat"
                self._report(given, BadValue(said, hint="Write a role, such as admins or members."))

    def _check_members(self, given: GivenValue, members: tuple[Member, ...], known: Roles) -> None:
        for member in members:
            if member.kind is MemberKind.ROLE and not known.has(member.id):
                self._report(given, BadValue(f"there is no role {member.id}", hint=known.nearest(member.id)))

    def _parsed(self, given: GivenValue, parse: Callable[[], _T]) -> _T | None:
        try:
            return parse()
        except BadValue as error:
            self._report(given, error)
            return None

    def _report(self, given: GivenValue, error: BadValue) -> None:
        said = f"{given.subject}{str(error).removesuffix('.')}."
        self._faults.append(SettingFault(given.place, settings_error(said, where=given.where, hint=error.hint)))


def _in_order(written: Written) -> Written:
    return dict(sorted(written.items(), key=lambda one: one[1].place))


def _own_role(name: str) -> str:
    if name in BUILT_IN:
        hint = "Set admins in [chat]." if name == ADMINS else "Give it another name."
        raise BadValue(f"{name} is there already", hint=hint)
    member = parse_member(name)
    if member.kind is not MemberKind.ROLE:
        raise BadValue(f"{name} is an id, not a role", hint="Write a name of yours, then the ids: ops = U123.")
    return name


def _members(text: str) -> tuple[Member, ...]:
    return parse_members(_filled(text))


def _line(key: str, given: GivenValue) -> PermissionLine:
    line = given.place[1]
    file = given.where.removesuffix(f":{line}") if line else given.where
    return parse_line(key, _filled(given.text), file=file, line=line)


def _accounts(key: str, given: GivenValue) -> tuple[str, ...]:
    words = _filled(given.text).replace(",", " ").split()
    return tuple(dict.fromkeys(map(parse_account, [key, *words])))


def _filled(text: str) -> str:
    if not text:
        raise BadValue("the value is empty", hint="Write who it is, or nobody, or take the line out.")
    return text
