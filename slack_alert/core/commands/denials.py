"""Sentences of a denial: the rule, who may, and the line that would allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from slack_alert.core.commands.permissions import Decision, PermissionRule, RuleKind, UnmetRule
from slack_alert.core.commands.roles import (
    ADMINS,
    BUILT_IN,
    NOBODY,
    STANDING,
    Member,
    MemberKind,
    Roles,
    has_given_role,
    named_people,
    standing_of,
)
from slack_alert.core.model.asked import AccountStatus
from slack_alert.core.structs import Struct

#: In members; longer lists end with how many more there are.
_SHOWN = 8


class Denial(Struct, frozen=True):
    """What a denial says of one rule."""

    kind: str
    #: Who may, or what is the matter.
    subject: str
    #: The rule as it is written, with its place; empty: it is written nowhere.
    rule: str = ""
    #: A line of the configuration that would allow it, with its section; empty: none would.
    section: str = ""
    line: str = ""

    @property
    def said(self) -> str:
        """The sentence about the rule."""
        return next(_sentences([self]))

    @property
    def remedy(self) -> str:
        """The sentence about the line, or nothing."""
        return f"An admin can allow it with `{self.line}` in [{self.section}]." if self.line else ""


def denials(decision: Decision, roles: Roles) -> tuple[Denial, ...]:
    """Return what a denial says of each rule that does not hold; nothing where it is allowed."""
    # Who is nobody here is not told what else would be needed.
    standing = [refusal for refusal in decision.refusals if refusal.rule.kind is RuleKind.STANDING]
    return tuple(_denial(decision, refusal, roles) for refusal in standing or decision.refusals)


def explain(decision: Decision, roles: Roles) -> str:
    """Return all that is said to somebody who may not; empty where it is allowed."""
    if decision.is_allowed:
        return ""
    told = denials(decision, roles)
    remedies = dict.fromkeys(denial.remedy for denial in told if denial.remedy)
    return " ".join([*_sentences(told), *_own_roles(decision, roles), *remedies])


def _sentences(told: Iterable[Denial]) -> Iterator[str]:
    """Yield what is said of all rules, those for the same people together."""
    rules: dict[str, list[str]] = {}
    for denial in told:
        rules.setdefault(denial.subject, []).append(denial.rule)
    for subject, written in rules.items():
        sentence = f"{subject}: {' and '.join(written)}" if all(written) else subject
        yield sentence if sentence.endswith((".", "?")) else f"{sentence}."


def _own_roles(decision: Decision, roles: Roles) -> Iterator[str]:
    if decision.is_uncertain or standing_of(roles, decision.asker) in _WORDS:
        return
    yield f"You are in {', '.join(decision.roles)}." if decision.roles else "You are in no role."


def _denial(decision: Decision, refusal: UnmetRule, roles: Roles) -> Denial:
    kind = str(refusal.rule.kind)
    if refusal.unknown:
        return Denial(kind, _uncertain(decision, refusal))
    written = _rule(refusal.rule) if refusal.rule.kind in _WRITTEN else ""
    if refusal.is_elsewhere:
        places = " or ".join(place.shown for place in refusal.rule.places)
        return Denial(kind, f"`{decision.command}` is asked for in {places} only", written)
    subject = _SUBJECTS[refusal.rule.kind](decision, refusal.rule, roles)
    return Denial(kind, subject, written, *_remedy(decision, refusal.rule, roles))


def _uncertain(decision: Decision, refusal: UnmetRule) -> str:
    service = _SERVICES.get(decision.asker.identity.service, decision.asker.identity.service)
    groups = [each for each in refusal.unknown if each != STANDING]
    what = f"who is in {' and '.join(groups)}" if groups else "who you are"
    return f"Try again: {service} does not tell now {what}, and `{decision.command}` depends on it"


def _of_standing(decision: Decision, _rule: PermissionRule, roles: Roles) -> str:
    return f"You may not use this bot: {_WORDS[standing_of(roles, decision.asker)]}"


def _of_may_use(_decision: Decision, rule: PermissionRule, roles: Roles) -> str:
    return f"This bot is for {_who(rule, roles)}"


def _of_line(decision: Decision, rule: PermissionRule, roles: Roles) -> str:
    where = f" in {' or '.join(place.shown for place in rule.places)}" if rule.places else ""
    return f"`{decision.command}` is for {_who(rule, roles)}{where}"


def _of_default(decision: Decision, rule: PermissionRule, roles: Roles) -> str:
    return f"`{decision.command}` is for {_who(rule, roles)}, because nothing says who else may"


def _of_faulty(decision: Decision, rule: PermissionRule, roles: Roles) -> str:
    return f"`{decision.command}` is for {_who(rule, roles)} until {_rule(rule)} is corrected: {rule.fault}"


def _of_unreadable(decision: Decision, rule: PermissionRule, roles: Roles) -> str:
    said = "an argument that decides who may is missing, and its default is not a plain value"
    return f"`{decision.command}` is for {_who(rule, roles)} here: {said} ({rule.where})"


def _rule(rule: PermissionRule) -> str:
    return f"`{rule.text}` ({rule.where})" if rule.where else f"`{rule.text}`"


def _who(rule: PermissionRule, roles: Roles) -> str:
    """Return the roles of a rule, and in brackets who is in them where that is written down."""
    if rule.is_closed:
        return "nobody"
    named = [member.shown for member in rule.roles]
    people = [member.shown for member in named_people(roles, rule.roles) if member.shown not in named]
    more = [f"{len(people) - _SHOWN} more"] if len(people) > _SHOWN else []
    shown = ", ".join([*people[:_SHOWN], *more])
    return f"{' or '.join(named)} ({shown})" if shown else " or ".join(named)


def _remedy(decision: Decision, rule: PermissionRule, roles: Roles) -> tuple[str, str]:
    """Return a section and a line of it that lets this asker in, and nobody else; empty where none can."""
    own = _own(decision)
    if rule.kind in _WITHOUT_REMEDY or rule.is_closed or not own:
        return "", ""
    if rule.kind is RuleKind.MAY_USE:
        return "chat", f"{rule.text}, {own}"
    if own in _GIVEN_ROLES:
        return _GIVEN_ROLES[own], _given_role(decision, own, roles)
    role = next((each for each in rule.roles if _is_listed(each, roles)), None)
    if role is not None:
        members = [*(member.shown for member in roles.named.get(role.id, ())), own]
        return "roles", f"{role.id} = {', '.join(members)}"
    if rule.kind is RuleKind.LINE:
        key, _, value = rule.text.partition(" = ")
        who, within, places = value.partition(" in ")
        return "permissions", f"{key} = {who.strip()}, {own}{within}{places}"
    if rule.kind is RuleKind.DEFAULT:
        others = "" if rule.roles[0].id == ADMINS else f"{rule.roles[0].id}, "
        return "permissions", f"{decision.line_key} = {others}{own}"
    return "", ""


def _own(decision: Decision) -> str:
    """Return how the asker is written in a role, or the key of the role where the door gives it."""
    if has_given_role(decision.asker):
        return _KEYS.get(decision.asker.identity.service, "")
    identity = decision.asker.identity
    return identity.user if identity.service == "slack" else f"{identity.service}:{identity.user}"


def _given_role(decision: Decision, key: str, roles: Roles) -> str:
    """Return the line that gives the door one role more for each rule; admins where people alone are named."""
    needed = [
        next((each.shown for each in refusal.rule.roles if each.kind is MemberKind.ROLE), ADMINS)
        for refusal in decision.refusals
    ]
    given = roles.cli_role if key == _KEYS["cli"] else roles.token_role
    present = [each.shown for each in given if each.id != NOBODY]
    return f"{key} = {', '.join(dict.fromkeys([*present, *needed]))}"


def _is_listed(member: Member, roles: Roles) -> bool:
    return member.kind is MemberKind.ROLE and member.id not in BUILT_IN and roles.has(member.id)


_WORDS = {
    AccountStatus.BOT: "bots ask for nothing here",
    AccountStatus.DISABLED: "the account is disabled",
    AccountStatus.STRANGER: "the account belongs to another workspace",
}
#: The keys of the roles that doors give, by their services, and the sections of those.
_KEYS = {"cli": "cli_role", "web": "token_role"}
_GIVEN_ROLES = {"cli_role": "chat", "token_role": "web"}
_SERVICES = {"slack": "Slack", "dingtalk": "DingTalk"}
#: Rules of which the text is shown behind who may.
_WRITTEN = frozenset({RuleKind.MAY_USE, RuleKind.LINE, RuleKind.MARKER})
_WITHOUT_REMEDY = frozenset({RuleKind.STANDING, RuleKind.FAULTY, RuleKind.UNREADABLE})
_SUBJECTS: Mapping[RuleKind, Callable[[Decision, PermissionRule, Roles], str]] = {
    RuleKind.STANDING: _of_standing,
    RuleKind.MAY_USE: _of_may_use,
    RuleKind.LINE: _of_line,
    RuleKind.MARKER: _of_line,
    RuleKind.DEFAULT: _of_default,
    RuleKind.FAULTY: _of_faulty,
    RuleKind.UNREADABLE: _of_unreadable,
}
