"""What the program keeps of a pull request in `ctx.store`: approvals, holds and tests, each with its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_alert.packs.git._decision import Approval, OwnTest
from slack_alert.packs.git._owners import Approver
from slack_alert.packs.git._pull_requests import CheckState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slack_alert.engine.context.key_value import KeyValueStore

#: What is kept of a pull request that nobody touches is forgotten after this.
_EXPIRES = "180d"
#: So many approvals of a pull request are kept, the newest ones.
_MOST = 50


class Records:
    """What is kept of one pull request."""

    def __init__(self, store: KeyValueStore, repository: str, number: int) -> None:
        self._store = store
        self._place = f"{repository} {number}"

    @property
    def approvals(self) -> Sequence[Approval]:
        """The approvals of all its commits, in their order."""
        return [_approval(one) for one in self._store.get(f"approvals {self._place}") or []]

    def approve(self, approval: Approval) -> bool:
        """Keep an approval; return whether it is a new one: who approves a commit again is kept as known now."""
        is_new = True

        def add(before: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
            nonlocal is_new
            kept = [one for one in before if not _is_same(_approval(one), approval)]
            is_new = len(kept) == len(before)
            return [*kept, _plain(approval)][-_MOST:]

        self._store.update(f"approvals {self._place}", add, [], expires=_EXPIRES)
        return is_new

    @property
    def held_by(self) -> str:
        """Who has put it on hold; empty: nobody."""
        return str(self._store.get(f"hold {self._place}") or "")

    def hold(self, name: str) -> None:
        """Put it on hold, until somebody takes that back."""
        self._store.set(f"hold {self._place}", name)

    def unhold(self) -> None:
        """Take it back."""
        self._store.delete(f"hold {self._place}")

    @property
    def test(self) -> OwnTest | None:
        """The last test that was started here."""
        kept = self._store.get(f"test {self._place}")
        return None if kept is None else OwnTest(kept["sha"], CheckState(kept["state"]))

    def tested(self, test: OwnTest) -> None:
        """Keep how a test goes."""
        self._store.set(f"test {self._place}", {"sha": test.sha, "state": str(test.state)}, expires=_EXPIRES)


def _is_same(one: Approval, other: Approval) -> bool:
    return one.sha == other.sha and bool(set(one.approver.accounts) & set(other.approver.accounts))


def _plain(approval: Approval) -> Mapping[str, Any]:  # Any: what JSON holds
    approver = approval.approver
    return {
        "sha": approval.sha,
        "name": approval.name,
        "accounts": [*approver.accounts],
        "groups": [*approver.groups],
        "member": approver.is_member,
        "admin": approver.is_admin,
    }


def _approval(kept: Mapping[str, Any]) -> Approval:  # Any: as above
    approver = Approver(tuple(kept["accounts"]), tuple(kept["groups"]), kept["member"], kept["admin"])
    return Approval(kept["sha"], approver, kept["name"])
