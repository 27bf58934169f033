"""Roles and who is in them: by the ids of services, never by names, which people change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AccountStatus, Asker, Identity
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct, field
from slack_alert.core.units.names import nearest

#: Full members of the workspace, those who may do everything, and a role that nobody is in.
MEMBERS, ADMINS, NOBODY = BUILT_IN = ("members", "admins", "nobody")
#: Services whose accounts can be named in a role, or joined to a person; nobody is known by an id elsewhere.
SERVICES = ("slack", "dingtalk", "github", "gitlab", "gitee", "gitea")
#: What stands for the standing of an account among the things that are not known.
STANDING = "standing"


class MemberKind(str, Enum):
    """What is named as a member of a role."""

    PERSON = "person"
    GROUP = "group"
    ROLE = "role"

    def __str__(self) -> str:
        """Return the word users see."""
        return self.value


class Member(Struct, frozen=True):
    """A person, a user group or a role, as a member of a role."""

    kind: MemberKind
    #: `slack:U123` for a person, else the id of the group or the name of the role.
    id: str

    @property
    def shown(self) -> str:
        """The form in which it is written in the configuration."""
        return self.id.removeprefix("slack:")


class Membership(Struct, frozen=True):
    """Whether something holds, where a service may not tell."""

    is_yes: bool
    #: What has to be known to tell: ids of user groups, or `STANDING`; empty: it is known.
    unknown: frozenset[str] = frozenset()

    @property
    def is_no(self) -> bool:
        """Whether it is known not to hold."""
        return not self.is_yes and not self.unknown


YES, NO = Membership(is_yes=True), Membership(is_yes=False)


def any_of(answers: Iterable[Membership]) -> Membership:
    """Return whether at least one of them holds."""
    unknown: frozenset[str] = frozenset()
    for answer in answers:
        if answer.is_yes:
            return YES
        unknown |= answer.unknown
    return Membership(is_yes=False, unknown=unknown)


class Roles(Struct, frozen=True):
    """The roles of an installation, and the accounts that are one person."""

    #: The members of each role in the configuration.
    named: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    admins: tuple[Member, ...] = ()
    #: The only roles of whoever sits at the terminal of the machine, and of who comes with a token of the HTTP API.
    cli_role: tuple[Member, ...] = (Member(MemberKind.ROLE, ADMINS),)
    token_role: tuple[Member, ...] = (Member(MemberKind.ROLE, NOBODY),)
    #: Each account that is joined to others: all accounts of its person, always in the same order.
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The workspace of this installation, by service, where it is known: an account of another one is a stranger.
    teams: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Return whether there is a role of that name."""
        return name in BUILT_IN or name in self.named

    def nearest(self, name: str) -> str:
        """Return a hint with the role that was probably meant, or with all of them."""
        meant = nearest(name, [*self.named, *BUILT_IN])
        return f"Did you mean {meant}?" if meant else f"Roles: {', '.join([*self.named, *BUILT_IN])}."


def parse_members(text: str) -> tuple[Member, ...]:
    """Return members separated by commas or white space, each of them once; raise BadValue."""
    words = [word for word in _SEPARATOR.split(text) if word]
    if not words:
        raise BadValue("nobody is named", hint="Write ids such as U123 or S789, roles, or nobody.")
    return tuple(dict.fromkeys(map(parse_member, words)))


def parse_member(word: str) -> Member:
    """Return who is meant by `U123`, `S789`, `dingtalk:0123` or the name of a role; raise BadValue."""
    if mention := _MENTION.fullmatch(word):
        raise BadValue(f"{word!r} is a mention", hint=f"Write the id alone: {mention[1]}.")
    service, colon, user = word.partition(":")
    if colon:
        return Member(MemberKind.PERSON, _account(word, service, user))
    if _PERSON.fullmatch(word):
        return Member(MemberKind.PERSON, f"slack:{word}")
    if _GROUP.fullmatch(word):
        return Member(MemberKind.GROUP, word)
    return Member(MemberKind.ROLE, parse_role(word))


def parse_role(word: str) -> str:
    """Return the name of a role; raise BadValue where it cannot be one."""
    if word.startswith("@"):
        raise BadValue(f"{word!r} is a name, which people change", hint="Write the id, such as U123: profile, Copy ID.")
    if not _ROLE.fullmatch(word) or word == "in":
        raise BadValue(f"{word!r} is neither an id nor a role", hint="A role's name has letters, digits, - _ and dots.")
    return word


def parse_account(word: str) -> str:
    """Return an account of a person, `slack:U123` or `github:ann`; raise BadValue."""
    member = parse_member(word)
    if member.kind is not MemberKind.PERSON:
        raise BadValue(f"{word!r} is not the account of a person", hint="Write U123, or github:ann.")
    return member.id


def standing_of(roles: Roles, asker: Asker) -> AccountStatus:
    """Return the standing of an account; one of another workspace than that of the installation is a stranger."""
    identity = asker.identity
    team = roles.teams.get(identity.service, "")
    return AccountStatus.STRANGER if team and identity.team and identity.team != team else asker.standing


def has_given_role(asker: Asker) -> bool:
    """Return whether the door gives the role, not the account: at the terminal, and with a token."""
    return asker.standing is AccountStatus.TERMINAL or asker.identity.service in {"cli", "web"}


def membership(roles: Roles, asker: Asker, members: Iterable[Member]) -> Membership:
    """Return whether somebody is one of these people, or in one of these groups and roles."""
    if has_given_role(asker):
        given = roles.token_role if asker.identity.service == "web" else roles.cli_role
        return YES if any(_is_given(roles, member, given) for member in members) else NO
    standing = standing_of(roles, asker)
    if standing in _NEVER:
        return NO
    own = f"{asker.identity.service}:{asker.identity.user}"
    found = _Asking(roles, asker, standing, roles.people.get(own, (own,))).any_of(members)
    # The account may be disabled by now, or belong to somebody else's workspace.
    return Membership(is_yes=False, unknown=frozenset([STANDING])) if found.is_yes and standing in _UNKNOWN else found


def roles_of(roles: Roles, asker: Asker) -> tuple[str, ...]:
    """Return the names of all roles that somebody is known to have."""
    names = (*roles.named, ADMINS, MEMBERS)
    return tuple(name for name in names if membership(roles, asker, [Member(MemberKind.ROLE, name)]).is_yes)


def person_of(roles: Roles, identity: Identity) -> str:
    """Return the key of a person, the same for all accounts that are joined."""
    if identity.service in {"cli", "web"} or _is_elsewhere(roles, identity):
        return identity.key
    account = f"{identity.service}:{identity.user}"
    return roles.people.get(account, (account,))[0]


def is_same_person(roles: Roles, one: Identity, other: Identity) -> bool:
    """Return whether two accounts belong to the same person, as far as the configuration says."""
    return person_of(roles, one) == person_of(roles, other)


def named_people(roles: Roles, members: Iterable[Member]) -> tuple[Member, ...]:
    """Return the people and groups that members come to, and the built-in roles that have no list."""
    found: dict[Member, None] = {}
    for member in members:
        is_open = member.kind is MemberKind.ROLE and (member.id == ADMINS or member.id in roles.named)
        found |= dict.fromkeys(named_people(roles, _inner(roles, member.id)) if is_open else [member])
    return tuple(found)


def circle(named: Mapping[str, tuple[Member, ...]], name: str) -> tuple[str, ...]:
    """Return the roles on the way from a role back to itself, or nothing."""
    return _way_back(named, name, (name,))


def _way_back(named: Mapping[str, tuple[Member, ...]], name: str, way: tuple[str, ...]) -> tuple[str, ...]:
    inner = [member.id for member in named.get(way[-1], ()) if member.kind is MemberKind.ROLE]
    if name in inner:
        return (*way, name)
    ways = (_way_back(named, name, (*way, each)) for each in inner if each not in way)
    return next((found for found in ways if found), ())


def _account(word: str, service: str, user: str) -> str:
    if service in {"cli", "web"}:
        said = "the terminal and the HTTP API have roles of their own"
        raise BadValue(f"{word!r}: {said}", hint="Set cli_role in [chat].")
    if service not in SERVICES:
        meant = nearest(service, SERVICES)
        question = f"Did you mean {meant}? " if meant else ""
        raise BadValue(f"{word!r}: there is no service {service!r}", hint=f"{question}Services: {', '.join(SERVICES)}.")
    if not _ACCOUNT.fullmatch(user) or (service == "slack" and not _PERSON.fullmatch(user)):
        raise BadValue(f"{word!r} names no account", hint="Write U123, dingtalk:0123 or github:ann.")
    return f"{service}:{user}"


def _is_given(roles: Roles, member: Member, given: tuple[Member, ...]) -> bool:
    if member.kind is not MemberKind.ROLE or member.id == NOBODY:
        return False
    return member in given or any(_is_given(roles, inner, given) for inner in _inner(roles, member.id))


def _inner(roles: Roles, name: str) -> tuple[Member, ...]:
    return roles.admins if name == ADMINS else roles.named.get(name, ())


class _Asking(Struct, frozen=True):
    """Somebody who asks, with all accounts of that person; roles may be long, so what is known of him is found once."""

    roles: Roles
    asker: Asker
    standing: AccountStatus
    accounts: tuple[str, ...]

    def any_of(self, members: Iterable[Member]) -> Membership:
        unknown: frozenset[str] = frozenset()
        for member in members:
            if member.kind is MemberKind.PERSON:
                if member.id in self.accounts:
                    return YES
                continue
            answer = self._in_role(member.id) if member.kind is MemberKind.ROLE else self._in_group(member.id)
            if answer.is_yes:
                return YES
            unknown |= answer.unknown
        return Membership(is_yes=False, unknown=unknown)

    def _in_group(self, group: str) -> Membership:
        if group in self.asker.groups:
            return YES
        return Membership(is_yes=False, unknown=frozenset([group]) & self.asker.unknown_groups)

    def _in_role(self, name: str) -> Membership:
        if name == MEMBERS:
            return YES if self.standing in {AccountStatus.MEMBER, AccountStatus.UNKNOWN} else NO
        return self.any_of(_inner(self.roles, name))


def _is_elsewhere(roles: Roles, identity: Identity) -> bool:
    team = roles.teams.get(identity.service, "")
    return bool(team and identity.team and identity.team != team)


#: Who is in no role, also where somebody wrote the id into one.
_NEVER = frozenset({AccountStatus.BOT, AccountStatus.DISABLED, AccountStatus.STRANGER})
_UNKNOWN = frozenset({AccountStatus.UNKNOWN})
_SEPARATOR = lazy_pattern(r"[\s,]+")
_MENTION = lazy_pattern(r"<[@!](?:subteam\^)?(\w+)(?:\|[^>]*)?>")
# A short word in capitals without a digit, such as UK or SRE, is the name of a role.
_PERSON = lazy_pattern(r"[UW](?:[A-Z0-9]{7,}|[A-Z]*\d[A-Z0-9]*)")
_GROUP = lazy_pattern(r"S(?:[A-Z0-9]{7,}|[A-Z]*\d[A-Z0-9]*)")
_ROLE = lazy_pattern(r"[^\W\d_][\w.-]*")
_ACCOUNT = lazy_pattern(r"[\w$+.@=-]+")
