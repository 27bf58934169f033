"""What hosts tell of pull requests, the same for all of them, and the interface of a host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from slack_alert.core.structs import Struct, Word

#: The name under which this program's own status is shown on a commit.
OWN_STATUS = "slack-alert"


class PullState(Word):
    """Whether a pull request may still be merged."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Mergeable(Word):
    """What a host says of merging, besides approvals and checks."""

    YES = "yes"
    NO = "no"
    #: The host has not found out yet.
    UNCHECKED = "unchecked"
    #: The host says something that this program does not know.
    UNKNOWN = "unknown"


class CheckState(Word):
    """How a check of a commit went."""

    GREEN = "passed"
    RED = "failed"
    PENDING = "running"
    UNKNOWN = "unknown"


class PullRequest(Struct, frozen=True):
    """A pull request, or merge request, as it is at a moment."""

    number: int
    title: str
    #: The login of whoever opened it; and its newest commit, in full.
    author: str
    sha: str
    url: str
    created: datetime
    #: The branches it comes from and goes to.
    source: str
    target: str
    state: PullState = PullState.OPEN
    is_draft: bool = False
    labels: tuple[str, ...] = ()
    mergeable: Mergeable = Mergeable.UNKNOWN
    #: The host's own word for it.
    mergeable_word: str = ""
    #: It comes from another repository.
    is_fork: bool = False
    #: The commit that the merge made; empty: it is not merged, or the host does not tell.
    merge_commit: str = ""


class Review(Struct, frozen=True):
    """What somebody has said on the host about a pull request; only the last word of each person."""

    login: str
    is_approval: bool
    #: The commit it is about; empty where the host does not tell.
    sha: str = ""
    #: The host lets this account approve.
    is_allowed: bool = False


class Check(Struct, frozen=True):
    """A check of a commit; only the last of each name."""

    name: str
    state: CheckState
    #: The host's own word for the state.
    word: str = ""


class Files(Struct, frozen=True):
    """The paths that a pull request changes, former names included."""

    paths: tuple[str, ...] = ()
    #: The host has told all of them.
    is_whole: bool = True


class Merged(Struct, frozen=True):
    """What came of a request to merge."""

    commit: str = ""
    #: Besides: what people should know about it.
    remark: str = ""


class Host(Protocol):
    """A repository on a host. Whatever goes wrong is a HostError with a sentence for people."""

    async def pulls(self) -> Sequence[PullRequest]:
        """Return the open pull requests, the newest first."""

    async def pull(self, number: int) -> PullRequest:
        """Return one pull request; where the host is still finding out whether it can be merged, wait for that."""

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:
        """Return the last word of each reviewer, without those of the token's own account."""

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        """Return the checks of the newest commit of a pull request, the program's own status included."""

    async def required(self, pull: PullRequest) -> Sequence[str]:
        """Return the names of the checks that the branch asks for."""

    async def files(self, pull: PullRequest) -> Files:
        """Return the files that a pull request changes."""

    async def merge(self, pull: PullRequest, method: str) -> Merged:
        """Merge exactly this commit; raise RequestRefused where the host does not, HostError where nobody knows."""

    async def comment(self, pull: PullRequest, text: str, mark: str) -> None:
        """Write a comment once: `mark` is what it is found by, should the answer be lost."""

    async def review(self, pull: PullRequest, text: str) -> None:
        """Approve exactly this commit as the token's account."""

    async def status(self, pull: PullRequest, state: CheckState, text: str) -> None:
        """Write the program's own status of the newest commit."""

    async def start_test(self, pull: PullRequest, name: str) -> str:
        """Start the host's own test of the newest commit; return what `test_state` takes."""

    async def test_state(self, pull: PullRequest, test: str) -> Check:
        """Return how a started test goes."""


METHODS = ("merge", "squash", "rebase")
