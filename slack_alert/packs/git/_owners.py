"""Owners of files: `db/** = github:ann, release` asks for one of these people where such a file changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from slack_alert.core.commands.roles import ADMINS, MEMBERS, Member, MemberKind, Roles, named_people, parse_members
from slack_alert.core.structs import Struct


class OwnerLine(Struct, frozen=True):
    """Files, and the people one of whom has to approve a change of them."""

    glob: str
    members: tuple[Member, ...]

    @property
    def shown(self) -> str:
        """The people, as they are written."""
        return ", ".join(member.shown for member in self.members)

    def concerns(self, paths: Iterable[str]) -> bool:
        """Return whether one of the files is such a file."""
        pattern = _pattern(self.glob)
        return any(pattern.fullmatch(path) for path in paths)


class Approver(Struct, frozen=True):
    """Who approved, as far as it was known then."""

    #: All accounts of the person, such as `slack:U123` and `github:ann`.
    accounts: tuple[str, ...]
    groups: tuple[str, ...] = ()
    #: The roles that the program's own doors have told: `members`, `admins`.
    is_member: bool = False
    is_admin: bool = False


def parse_owners(lines: Sequence[str]) -> tuple[OwnerLine, ...]:
    """Return lines of the configuration, which were checked when it was read."""
    parts = [line.rpartition(" = ") for line in lines]
    return tuple(OwnerLine(glob, parse_members(who)) for glob, _, who in parts)


def is_owner(roles: Roles, line: OwnerLine, approver: Approver) -> bool:
    """Return whether somebody is one of the people of a line, as the roles are now."""
    return any(_is(roles, member, approver) for member in named_people(roles, line.members))


def _is(roles: Roles, member: Member, approver: Approver) -> bool:
    if member.kind is MemberKind.PERSON:
        joined = {each for account in approver.accounts for each in roles.people.get(account, (account,))}
        return member.id in joined
    if member.kind is MemberKind.GROUP:
        return member.id in approver.groups
    return (member.id == MEMBERS and approver.is_member) or (member.id == ADMINS and approver.is_admin)


def _pattern(glob: str) -> re.Pattern[str]:
    """Return the pattern of a glob: `*` is within a folder, `**` any folders; without a slash it is any file's name."""
    text = glob.lstrip("/")
    if "/" not in text.rstrip("/") and not glob.startswith("/"):
        text = f"**/{text}"
    if text.endswith("/"):
        text += "**"
    parts = _WILD.split(text)
    return re.compile("".join(_MEANING.get(part) or re.escape(part) for part in parts), re.DOTALL)


_WILD = re.compile(r"(\*\*/|\*\*|\*|\?)")
_MEANING = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
