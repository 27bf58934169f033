"""No sequence of pushes, approvals, presses, restarts and answers merges a commit that was not approved and green."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from slack_alert.core.errors import SlackAlertError
from slack_alert.engine.batches import StoredValue
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.packs.git import _merging
from slack_alert.packs.git._decision import Approval, OwnTest
from slack_alert.packs.git._hosts.http import AmbiguousWrite, RequestRefused
from slack_alert.packs.git._owners import Approver
from slack_alert.packs.git._pull_requests import (
    Check,
    CheckState,
    Files,
    Mergeable,
    Merged,
    PullRequest,
    PullState,
    Review,
)
from slack_alert.packs.git._records import Records
from slack_alert.packs.git._repositories import Repository

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc)
PEOPLE = ("ann", "bob", "cat")


class HostInMemory:
    """A host whose pull request changes between any two answers, and whose answers to a merge are lost."""

    def __init__(self) -> None:
        self.pushes = 0
        self.state = PullState.OPEN
        self.mergeable = Mergeable.YES
        self.reviewed: dict[str, Review] = {}
        self.found: dict[str, dict[str, CheckState]] = {}
        self.merged: list[str] = []
        #: What happens before the next calls, and how the next merge is answered.
        self.meanwhile: list[Callable[[], object]] = []
        self.answer = "answered"

    @property
    def head(self) -> str:
        return f"{self.pushes:040x}"

    def _turn(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()

    async def pull(self, number: int) -> PullRequest:
        self._turn()
        head = self.merged[-1] if self.state is PullState.MERGED else self.head
        return PullRequest(
            number, "", "ann", head, "https://x/1", NOW, "topic", "main",
            self.state, mergeable=self.mergeable,
        )  # fmt: skip

    async def pulls(self) -> Sequence[PullRequest]:
        return [await self.pull(1)]

    async def reviews(self, pull: PullRequest) -> Sequence[Review]:  # noqa: ARG002 - as hosts have it
        self._turn()
        return [*self.reviewed.values()]

    async def checks(self, pull: PullRequest) -> Sequence[Check]:
        self._turn()
        return [Check(name, state) for name, state in self.found.get(pull.sha, {}).items()]

    async def required(self, pull: PullRequest) -> Sequence[str]:  # noqa: ARG002 - as hosts have it
        self._turn()
        return ["build"]

    async def files(self, pull: PullRequest) -> Files:  # noqa: ARG002 - as hosts have it
        self._turn()
        return Files(("a",))

    async def merge(self, pull: PullRequest, method: str) -> Merged:  # noqa: ARG002 - as hosts have it
        self._turn()
        if self.answer == "lost before":
            raise AmbiguousWrite
        if self.state is not PullState.OPEN or pull.sha != self.head:
            raise RequestRefused("Head branch was modified", 409)
        self.merged.append(self.head)
        self.state = PullState.MERGED
        if self.answer == "lost after":
            raise AmbiguousWrite
        return Merged("f" * 40)


_SPOILED = st.sampled_from(
    ["", "push", "hold", "red", "running", "objection", "author", "approved before", "tested before", "retest"]
)
_PUSHES = st.sampled_from([None, None, None, 0, 1, 2, 3, 4, 5, 6])
_ANSWERS = st.sampled_from(["answered", "answered", "lost before", "lost after"])


class Merging(RuleBasedStateMachine):
    """People and other programs do what they like; a record of it all says what was right at the merge."""

    @initialize(needs_test=st.booleans())
    def begin(self, needs_test: bool) -> None:
        self.host = HostInMemory()
        self.disk: dict[str, StoredValue] = {}
        self.repository = Repository("shop", "github", "acme/shop", "command" if needs_test else "", "", False, ())
        self.approved: set[tuple[str, str]] = set()
        self.tested: dict[str, CheckState] = {}
        self.is_held = False
        self.restart()

    @rule()
    def restart(self) -> None:
        store = KeyValueStore("git", self.disk.values(), write=self._write, now=lambda: NOW)
        self.ctx = SimpleNamespace(store=store, program=None, by=None)

    def _write(self, entries: Sequence[StoredValue]) -> None:
        self.disk.update({entry.key: entry for entry in entries})

    @property
    def records(self) -> Records:
        return Records(cast("KeyValueStore", self.ctx.store), "shop", 1)

    def _push(self) -> None:
        self.host.pushes += 1

    @rule()
    def push(self) -> None:
        self._push()

    @rule(who=st.sampled_from(PEOPLE), behind=st.integers(0, 2))
    def approve(self, who: str, behind: int) -> None:
        """Somebody approves, perhaps a commit that is not the newest any more."""
        sha = f"{max(0, self.host.pushes - behind):040x}"
        self.records.approve(Approval(sha, Approver((f"github:{who}",)), who))
        self.approved.add((sha, who))

    @rule(who=st.sampled_from(PEOPLE), is_approval=st.booleans(), is_allowed=st.booleans())
    def review(self, who: str, is_approval: bool, is_allowed: bool) -> None:
        self.host.reviewed[who] = Review(who, is_approval, self.host.head, is_allowed)
        if is_approval and is_allowed:
            self.approved.add((self.host.head, who))

    @rule(name=st.sampled_from(["build", "lint", "slack-alert"]), state=st.sampled_from(CheckState))
    def check(self, name: str, state: CheckState) -> None:
        self.host.found.setdefault(self.host.head, {})[name] = state

    @rule(state=st.sampled_from(CheckState))
    def test(self, state: CheckState) -> None:
        self.records.tested(OwnTest(self.host.head, state))
        self.tested = {self.host.head: state}

    @rule(is_held=st.booleans())
    def hold(self, is_held: bool) -> None:
        self.is_held = is_held
        self.records.hold("cat") if is_held else self.records.unhold()

    @rule(mergeable=st.sampled_from(Mergeable))
    def becomes(self, mergeable: Mergeable) -> None:
        self.host.mergeable = mergeable

    @rule(spoil=_SPOILED, data=st.data())
    def makes_it_ready(self, spoil: str, data: st.DataObject) -> None:
        """All is done as it should be, so that merges happen at all, but for one thing."""
        self.hold(False)
        self.host.mergeable = Mergeable.YES
        self.host.reviewed.clear()
        self._push()
        if spoil == "approved before":
            self.approve("bob", 0)
            self._push()
        self.host.found[self.host.head] = {"build": CheckState.GREEN}
        self.test(CheckState.GREEN)
        if spoil == "tested before":
            self._push()
            self.host.found[self.host.head] = {"build": CheckState.GREEN}
        if spoil != "approved before":
            self.approve("ann" if spoil == "author" else "bob", 0)
        self._spoil(spoil)
        self.merge(data.draw(_PUSHES), data.draw(_ANSWERS), data.draw(st.integers(1, 2)))

    def _spoil(self, spoil: str) -> None:
        if spoil == "push":
            self._push()
        elif spoil == "hold":
            self.hold(True)
        elif spoil in {"red", "running"}:
            self.check("lint", CheckState.RED if spoil == "red" else CheckState.PENDING)
        elif spoil == "objection":
            self.review("cat", False, True)
        elif spoil == "retest":
            self.test(CheckState.RED)

    @rule(pushes_before=_PUSHES, answer=_ANSWERS, times=st.integers(1, 2))
    def merge(self, pushes_before: int | None, answer: str, times: int) -> None:
        before = len(self.host.merged)
        self.host.meanwhile = []
        if pushes_before is not None:
            self.host.meanwhile = [*[lambda: None] * pushes_before, self._push]
        self.host.answer = answer
        for _ in range(times):
            with suppress(SlackAlertError):
                asyncio.run(self._merge())
        assert len(self.host.merged) <= before + 1, "it is merged once at most"
        for sha in self.host.merged[before:]:
            self.is_right(sha)
        if len(self.host.merged) > before:  # The next one is opened, of the same number.
            self.host.state = PullState.OPEN
            self._push()

    async def _merge(self) -> None:
        await _merging.merge(cast(Any, self.ctx), self.repository, cast(Any, self.host), 1, "merge", named="")

    def is_right(self, sha: str) -> None:
        assert any(of == sha and who != "ann" for of, who in self.approved), "somebody else has approved it"
        states = {name: state for name, state in self.host.found.get(sha, {}).items() if name != "slack-alert"}
        assert states.get("build") is CheckState.GREEN, "the required check is green"
        assert set(states.values()) == {CheckState.GREEN}, "all checks are green"
        assert not self.repository.needs_test or self.tested.get(sha) is CheckState.GREEN, "it was tested"
        assert not self.is_held, "it was not on hold"
        objections = [each for each in self.host.reviewed.values() if each.is_allowed and not each.is_approval]
        assert objections == [], "nobody objected"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_merging, "PAUSES", (0.0, 0.0))


def test_only_what_was_approved_and_green_is_merged() -> None:
    run_state_machine_as_test(Merging, settings=settings(max_examples=100, stateful_step_count=25, deadline=None))
