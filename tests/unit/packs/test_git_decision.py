"""What is missing to merge a pull request, as tables."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from slack_alert.core.commands.roles import Member, MemberKind, Roles
from slack_alert.core.structs import replace
from slack_alert.packs.git._decision import Approval, Candidate, OwnTest, approvals, missing, summary
from slack_alert.packs.git._owners import Approver, OwnerLine, parse_owners
from slack_alert.packs.git._pull_requests import (
    Check,
    CheckState,
    Files,
    Mergeable,
    PullRequest,
    PullState,
    Review,
)

NEW, OLD = "a" * 40, "b" * 40
PULL = PullRequest(
    1, "Add", "ann", NEW, "https://x/1", datetime(2026, 11, 2, tzinfo=timezone.utc), "topic", "main",
    mergeable=Mergeable.YES, mergeable_word="clean",
)  # fmt: skip
ROLES = Roles(
    {"release": (Member(MemberKind.PERSON, "slack:U1"),), "dba": (Member(MemberKind.GROUP, "S1"),)},
    people=dict.fromkeys(("slack:U2", "github:bob"), ("slack:U2", "github:bob")),
)
GREEN = Check("build", CheckState.GREEN, "success")
BOB = Approval(NEW, Approver(("slack:U2", "github:bob")), "bob")
READY = Candidate("github", PULL, (BOB,), checks=(GREEN,))


def lacks(candidate: Candidate) -> list[str]:
    return [str(lack.kind) for lack in missing(candidate, ROLES)]


def pull(**changed: Any) -> Candidate:
    return replace(READY, pull=replace(PULL, **changed))


def test_nothing_is_missing() -> None:
    assert lacks(READY) == []


@pytest.mark.parametrize(
    ("candidate", "kinds"),
    [
        (pull(state=PullState.MERGED), ["not_open"]),
        (pull(state=PullState.CLOSED), ["not_open"]),
        (pull(state=PullState.UNKNOWN), ["not_open"]),
        (pull(is_draft=True), ["draft"]),
        (pull(labels=("bug", " Do-Not-Merge ")), ["label"]),
        (pull(mergeable=Mergeable.NO), ["conflict"]),
        (pull(mergeable=Mergeable.UNCHECKED), ["unchecked"]),
        (pull(mergeable=Mergeable.UNKNOWN), ["mergeable_unknown"]),
        (replace(READY, held_by="cat"), ["on_hold"]),
        (pull(is_draft=True, labels=("hold",), mergeable=Mergeable.NO), ["draft", "label", "conflict"]),
    ],
)
def test_it_is_open_ready_and_can_be_merged(candidate: Candidate, kinds: list[str]) -> None:
    assert lacks(candidate) == kinds


def by(*accounts: str, sha: str = NEW) -> Candidate:
    return replace(READY, approvals=(Approval(sha, Approver(accounts), accounts[0]),))


def review(login: str = "bob", **changed: Any) -> Candidate:
    given: dict[str, Any] = {"is_approval": True, "sha": NEW, "is_allowed": True, **changed}
    return replace(READY, approvals=(), reviews=(Review(login, **given),))


@pytest.mark.parametrize(
    ("candidate", "kinds"),
    [
        (replace(READY, approvals=()), ["no_approval"]),
        (by("slack:U2"), []),
        (by("github:bob", sha=OLD), ["old_approval"]),
        (by("github:ann"), ["no_approval"]),
        (by("github:Ann"), ["no_approval"]),
        (by("slack:U9", "github:ann"), ["no_approval"]),
        (by("gitee:ann"), []),
        (review(), []),
        (review("ann"), ["no_approval"]),
        (review("ANN"), ["no_approval"]),
        (review(sha=OLD), ["old_approval"]),
        (review(sha=""), ["no_approval"]),
        (review(is_allowed=False), ["no_approval"]),
        (review(is_approval=False), ["objection", "no_approval"]),
        (review(is_approval=False, is_allowed=False), ["no_approval"]),
        (replace(review(is_approval=False, sha=OLD), approvals=(BOB,)), ["objection"]),
    ],
)
def test_somebody_else_has_approved_exactly_the_newest_commit(candidate: Candidate, kinds: list[str]) -> None:
    assert lacks(candidate) == kinds


def test_the_author_is_known_by_accounts_that_were_joined_since() -> None:
    """Who approved before the line in [people] was written is the author nevertheless."""
    roles = Roles(people=dict.fromkeys(("slack:U9", "github:ann"), ("slack:U9", "github:ann")))

    assert approvals(by("slack:U9"), roles) == ()


def checks(*states: CheckState, names: tuple[str, ...] = ("build", "lint"), **more: Any) -> Candidate:
    found = tuple(Check(name, state, "x") for name, state in zip(names, states, strict=False))
    return replace(READY, checks=found, **more)


def own(state: CheckState, sha: str = NEW, **more: Any) -> Candidate:
    return replace(READY, test=OwnTest(sha, state), needs_test=True, checks=(), **more)


PASSED, FAILED, RUNNING, STRANGE = CheckState.GREEN, CheckState.RED, CheckState.PENDING, CheckState.UNKNOWN


@pytest.mark.parametrize(
    ("candidate", "kinds"),
    [
        (checks(), ["no_check"]),
        (checks(PASSED, PASSED), []),
        (checks(PASSED, FAILED), ["check_failed"]),
        (checks(RUNNING, PASSED), ["check_running"]),
        (checks(STRANGE), ["check_unknown"]),
        (replace(READY, checks=(Check("lint", PASSED, "skipped"),)), ["no_check"]),
        (replace(READY, checks=(Check("lint", PASSED, "skipped"), GREEN)), []),
        (checks(PASSED, required=("build",)), []),
        (checks(PASSED, required=("deploy",)), ["check_required"]),
        (checks(PASSED, required=("slack-alert",)), []),
        # Our own status is no check: neither for nor against.
        (checks(FAILED, PASSED, names=("slack-alert", "build")), []),
        (checks(RUNNING, PASSED, names=("slack-alert", "build")), []),
        (checks(PASSED, names=("slack-alert",)), ["no_check"]),
        (checks(PASSED, needs_test=True), ["not_tested"]),
        (own(PASSED), []),
        (own(PASSED, OLD), ["not_tested"]),
        (own(FAILED), ["test_failed"]),
        (own(RUNNING), ["test_running"]),
        (own(STRANGE), ["test_failed"]),
        # A test that the host shows itself is known by its checks.
        (checks(PASSED, test=OwnTest(NEW, FAILED)), []),
    ],
)
def test_the_newest_commit_is_green(candidate: Candidate, kinds: list[str]) -> None:
    assert lacks(candidate) == kinds


def owned(line: str, *paths: str, approvers: tuple[Approver, ...] = (BOB.approver,), whole: bool = True) -> Candidate:
    given = tuple(Approval(NEW, each, "x") for each in approvers)
    return replace(READY, owners=parse_owners([line]), files=Files(paths, whole), approvals=given)


MEMBER = Approver(("slack:U7",), groups=("S1",), is_member=True)


@pytest.mark.parametrize(
    ("candidate", "kinds"),
    [
        (owned("db/** = github:bob", "db/a/b.sql"), []),
        (owned("db/** = U2", "db/a.sql"), []),
        (owned("db/** = release", "db/a.sql"), ["owner"]),
        (owned("db/** = release", "src/a.py"), []),
        (owned("db/** = release", "src/a.py", whole=False), ["files_unknown"]),
        (owned("db/** = release, U2", "db/a.sql"), []),
        (owned("db/** = dba", "db/a.sql", approvers=(MEMBER,)), []),
        (owned("db/** = members", "db/a.sql", approvers=(MEMBER,)), []),
        (owned("db/** = members", "db/a.sql"), ["owner"]),
        (owned("db/** = admins", "db/a.sql", approvers=(MEMBER,)), ["owner"]),
        (owned("db/** = nobody", "db/a.sql", approvers=(MEMBER,)), ["owner"]),
        # The author's own approval satisfies no owner.
        (owned("db/** = github:ann", "db/a.sql", approvers=(BOB.approver, Approver(("github:ann",)))), ["owner"]),
    ],
)
def test_owners_of_changed_files_have_approved(candidate: Candidate, kinds: list[str]) -> None:
    assert lacks(candidate) == kinds


@pytest.mark.parametrize(
    ("glob", "path", "is_meant"),
    [
        ("db/**", "db/a", True),
        ("db/**", "db/a/b", True),
        ("db/**", "xdb/a", False),
        ("db/**", "x/db/a", False),
        ("db/*", "db/a/b", False),
        ("db/", "db/a/b", True),
        ("*.sql", "a/b/c.sql", True),
        ("*.sql", "c.sqlx", False),
        ("/*.sql", "a/c.sql", False),
        ("/*.sql", "c.sql", True),
        ("**/x/*.py", "a/b/x/y.py", True),
        ("**/x/*.py", "x/y.py", True),
        ("a?c", "abc", True),
        ("a.c", "abc", False),
        ("**", "any/thing", True),
        ("*.sql", "odd\nname.sql", True),
    ],
)
def test_globs_of_owners(glob: str, path: str, is_meant: bool) -> None:
    assert OwnerLine(glob, ()).concerns([path]) is is_meant


def test_checks_are_summed_up_by_the_worst() -> None:
    assert summary([]) is None
    assert summary([Check("slack-alert", CheckState.RED)]) is None
    assert summary([GREEN, Check("lint", CheckState.PENDING)]) is CheckState.PENDING
    assert summary([GREEN, Check("x", CheckState.UNKNOWN), Check("y", CheckState.PENDING)]) is CheckState.UNKNOWN
    assert summary([Check("x", CheckState.UNKNOWN), Check("y", CheckState.RED)]) is CheckState.RED
