"""Decide what is missing to merge a pull request: everything counts for exactly its newest commit, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from slack_alert.core.commands.roles import Roles
from slack_alert.core.structs import Struct, Word
from slack_alert.packs.git._owners import Approver, OwnerLine, is_owner
from slack_alert.packs.git._pull_requests import (
    OWN_STATUS,
    Check,
    CheckState,
    Files,
    Mergeable,
    PullRequest,
    PullState,
    Review,
)

#: Labels by which a host says that a pull request is on hold.
HOLDING = frozenset({"hold", "on hold", "on-hold", "do-not-merge", "do not merge", "do-not-merge/hold"})


class LackKind(Word):
    """What keeps a pull request from being merged."""

    NOT_OPEN = "not_open"
    DRAFT = "draft"
    ON_HOLD = "on_hold"
    LABEL = "label"
    NO_APPROVAL = "no_approval"
    OLD_APPROVAL = "old_approval"
    OBJECTION = "objection"
    OWNER = "owner"
    FILES_UNKNOWN = "files_unknown"
    NO_CHECK = "no_check"
    NOT_TESTED = "not_tested"
    TEST_FAILED = "test_failed"
    TEST_RUNNING = "test_running"
    CHECK_FAILED = "check_failed"
    CHECK_RUNNING = "check_running"
    CHECK_UNKNOWN = "check_unknown"
    CHECK_REQUIRED = "check_required"
    CONFLICT = "conflict"
    UNCHECKED = "unchecked"
    MERGEABLE_UNKNOWN = "mergeable_unknown"


class Lack(Struct, frozen=True):
    """Something that is missing, and to whom or what it belongs."""

    kind: LackKind
    what: str = ""
    who: str = ""


class Approval(Struct, frozen=True):
    """An approval that this program keeps, or that the host has, of one commit."""

    sha: str
    approver: Approver
    name: str


class OwnTest(Struct, frozen=True):
    """The last test that somebody started here."""

    sha: str
    state: CheckState


class Candidate(Struct, frozen=True):
    """All that is known about a pull request that shall be merged."""

    host: str
    pull: PullRequest
    approvals: Sequence[Approval] = ()
    reviews: Sequence[Review] = ()
    checks: Sequence[Check] = ()
    required: Sequence[str] = ()
    files: Files = Files()
    owners: Sequence[OwnerLine] = ()
    test: OwnTest | None = None
    #: The test is this program's own, so that the host does not show it among the checks.
    needs_test: bool = False
    #: Who has put it on hold; empty: nobody.
    held_by: str = ""


def missing(candidate: Candidate, roles: Roles) -> tuple[Lack, ...]:
    """Return all that is missing to merge; nothing: it may be merged."""
    pull = candidate.pull
    if pull.state is not PullState.OPEN:
        return (Lack(LackKind.NOT_OPEN, str(pull.state)),)
    return (
        *_readiness(candidate),
        *_approval(candidate, roles),
        *_tested(candidate),
        *_checked(candidate),
        *_mergeable(pull),
    )


def approvals(candidate: Candidate, roles: Roles) -> tuple[Approval, ...]:
    """Return the approvals that count: of the newest commit, by somebody else than the author, who may."""
    newest = (each for each in _all(candidate) if each.sha == candidate.pull.sha)
    return tuple(each for each in newest if not _own(candidate, roles, each))


def is_author(host: str, pull: PullRequest, roles: Roles, accounts: Iterable[str]) -> bool:
    """Return whether one of the accounts belongs to whoever opened a pull request."""
    author = f"{host}:{pull.author}".lower()
    joined = {each.lower() for account in accounts for each in (account, *roles.people.get(account, ()))}
    return author in joined


def summary(checks: Sequence[Check]) -> CheckState | None:
    """Return how the checks of others went, as one; None: there are none."""
    states = {check.state for check in _of_others(checks)}
    order = (CheckState.RED, CheckState.UNKNOWN, CheckState.PENDING, CheckState.GREEN)
    return next((state for state in order if state in states), None)


def _readiness(candidate: Candidate) -> Iterator[Lack]:
    if candidate.pull.is_draft:
        yield Lack(LackKind.DRAFT)
    if candidate.held_by:
        yield Lack(LackKind.ON_HOLD, who=candidate.held_by)
    for label in candidate.pull.labels:
        if label.strip().lower() in HOLDING:
            yield Lack(LackKind.LABEL, label)


def _approval(candidate: Candidate, roles: Roles) -> Iterator[Lack]:
    for review in candidate.reviews:
        # An objection stands until it is taken back, whatever was pushed since.
        if not review.is_approval and review.is_allowed:
            yield Lack(LackKind.OBJECTION, who=review.login)
    counted = approvals(candidate, roles)
    if not counted:
        old = [each for each in _all(candidate) if not _own(candidate, roles, each)]
        yield Lack(LackKind.OLD_APPROVAL, old[-1].sha, old[-1].name) if old else Lack(LackKind.NO_APPROVAL)
    if candidate.owners and not candidate.files.is_whole:
        yield Lack(LackKind.FILES_UNKNOWN)
    for line in candidate.owners:
        concerned = line.concerns(candidate.files.paths)
        if concerned and not any(is_owner(roles, line, each.approver) for each in counted):
            yield Lack(LackKind.OWNER, line.glob, line.shown)


def _tested(candidate: Candidate) -> Iterator[Lack]:
    test = candidate.test if candidate.test and candidate.test.sha == candidate.pull.sha else None
    if candidate.needs_test and test is None:
        yield Lack(LackKind.NOT_TESTED)
    elif candidate.needs_test and test is not None and test.state is not CheckState.GREEN:
        yield Lack(LackKind.TEST_RUNNING if test.state is CheckState.PENDING else LackKind.TEST_FAILED)
    elif not candidate.needs_test and all(check.word in _EMPTY for check in _of_others(candidate.checks)):
        yield Lack(LackKind.NO_CHECK)


def _checked(candidate: Candidate) -> Iterator[Lack]:
    found = _of_others(candidate.checks)
    for check in found:
        if (kind := _OF_CHECKS.get(check.state)) is not None:
            yield Lack(kind, check.name, check.word)
    names = {check.name for check in found}
    for name in candidate.required:
        if name != OWN_STATUS and name not in names:
            yield Lack(LackKind.CHECK_REQUIRED, name)


def _mergeable(pull: PullRequest) -> Iterator[Lack]:
    if (kind := _OF_MERGEABLE.get(pull.mergeable)) is not None:
        yield Lack(kind, pull.mergeable_word)


def _all(candidate: Candidate) -> tuple[Approval, ...]:
    """Return the approvals kept here, and those of the host by people who may and of a commit that it names."""
    on_host = (
        Approval(review.sha, Approver((f"{candidate.host}:{review.login}",)), review.login)
        for review in candidate.reviews
        if review.is_approval and review.is_allowed and review.sha
    )
    return (*candidate.approvals, *on_host)


def _own(candidate: Candidate, roles: Roles, approval: Approval) -> bool:
    return is_author(candidate.host, candidate.pull, roles, approval.approver.accounts)


def _of_others(checks: Sequence[Check]) -> list[Check]:
    """Return the checks without this program's own status, which says nothing that is not known here."""
    return [check for check in checks if check.name != OWN_STATUS]


#: By these a check says that it has passed without looking.
_EMPTY = frozenset({"skipped", "neutral"})
_OF_CHECKS = {
    CheckState.RED: LackKind.CHECK_FAILED,
    CheckState.PENDING: LackKind.CHECK_RUNNING,
    CheckState.UNKNOWN: LackKind.CHECK_UNKNOWN,
}
_OF_MERGEABLE = {
    Mergeable.NO: LackKind.CONFLICT,
    Mergeable.UNCHECKED: LackKind.UNCHECKED,
    Mergeable.UNKNOWN: LackKind.MERGEABLE_UNKNOWN,
}
