"""Say in words what is missing, and what a pull request is like; what comes from a host is text, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_alert.core.content.markup import unformatted
from slack_alert.core.units.humanize import format_distance
from slack_alert.packs.git._decision import Lack, LackKind, summary
from slack_alert.packs.git._pull_requests import OWN_STATUS, Check, PullRequest

_TITLE = 60
_WORD = 80
_SHORT = 8


def shown(text: str, longest: int = _WORD) -> str:
    """Return a text of a host in one line, which formats and mentions nothing."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return unformatted(line if len(line) <= longest else f"{line[:longest].rstrip()}…")


def title(pull: PullRequest) -> str:
    """Return the title as one short line."""
    return shown(pull.title, _TITLE) or "(no title)"


def short(sha: str) -> str:
    """Return a commit as people write it."""
    return sha[:_SHORT]


def age(pull: PullRequest, now: datetime) -> str:
    """Return how long ago it was opened."""
    return format_distance(max(now - pull.created, now - now))


def checks_text(checks: Sequence[Check]) -> str:
    """Return how the checks of others went, with the names of those that did not pass."""
    state = summary(checks)
    if state is None:
        return "none"
    named = [shown(check.name) for check in checks if check.state is state and check.name != OWN_STATUS]
    return str(state) if str(state) == "passed" else f"{state}: {', '.join(named[:3])}{' …' if len(named) > 3 else ''}"


def lack_text(lack: Lack, number: int, *, is_named: str = "") -> str:
    """Return the sentence about something that is missing; `is_named` is the repository where it has to be written."""
    behind = f"{number}{f' {is_named}' if is_named else ''}"
    return _TEXTS[lack.kind].format(what=shown(lack.what), who=shown(lack.who), short=short(lack.what), n=behind)


_TEXTS = {
    LackKind.NOT_OPEN: "it is {what}",
    LackKind.DRAFT: "it is a draft",
    LackKind.ON_HOLD: "{who} has put it on hold (unhold {n})",
    LackKind.LABEL: "it has the label {what}",
    LackKind.NO_APPROVAL: "nobody but the author has approved it (approve {n})",
    LackKind.OLD_APPROVAL: "{who} approved {short}, and it was pushed to since (approve {n})",
    LackKind.OBJECTION: "{who} asks for changes on the host",
    LackKind.OWNER: "{what} is changed, which one of {who} has to approve",
    LackKind.FILES_UNKNOWN: "it changes more files than the host tells, so that their owners are not known",
    LackKind.NO_CHECK: "nothing has tested its newest commit (test {n})",
    LackKind.NOT_TESTED: "its newest commit was not tested (test {n})",
    LackKind.TEST_FAILED: "the test of its newest commit failed (test {n})",
    LackKind.TEST_RUNNING: "the test of its newest commit has not ended (test {n} begins it anew)",
    LackKind.CHECK_FAILED: "the check {what} failed ({who})",
    LackKind.CHECK_RUNNING: "the check {what} has not ended ({who})",
    LackKind.CHECK_UNKNOWN: "the check {what} says something that is not known here ({who})",
    LackKind.CHECK_REQUIRED: "the check {what} is required, and has not run",
    LackKind.CONFLICT: "the host says that it cannot be merged ({what})",
    LackKind.UNCHECKED: "the host has not found out yet whether it can be merged; ask again in a minute",
    LackKind.MERGEABLE_UNKNOWN: "the host says of merging something that is not known here ({what})",
}
