"""Commits that fail for a while, as on a full disk: each command has one end, and each message is handed over once."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable

import pytest

from slack_alert.core.errors import StoreError
from slack_alert.core.model.message import Delivery
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Clock, Recorder
from slack_alert.engine.recording.writer import Then, Writer
from slack_alert.stores.memory import MemoryStore
from tests.fakes.chat_rig import ChatRig, command, text_parameter


class FailingStore:
    """A store of which one commit fails, and those that try it again."""

    def __init__(self, store: MemoryStore, *, at: int, times: int, error: type[Exception]) -> None:
        self._store = store
        self._at = at
        self._left = times
        self._error = error
        self.commits = 0

    def commit(self, batch: Batch) -> list[Delivery]:
        self.commits += 1
        if self.commits < self._at or not self._left:
            return self._store.commit(batch)
        self._left -= 1
        raise self._error("the disk is full")


class WriterInline(Writer):
    """A writer that writes when something is submitted, in groups as they come, on the thread of the test."""

    def __init__(self, store: object, clock: Clock, accept: Callable[[list[Delivery]], None]) -> None:
        super().__init__(store, clock, retry=0.0)  # type: ignore[arg-type]  # it only commits
        self._accept = accept
        self._waiting: deque[tuple[Batch, Then | None]] = deque()
        self._is_writing = False

    def submit(self, batch: Batch, then: Then | None = None) -> None:
        self._waiting.append((batch, then))
        if self._is_writing:
            return
        self._is_writing = True
        while self._waiting:
            group = list(self._waiting)
            self._waiting.clear()
            self._commit(group, [])
        self._is_writing = False


class FailingRig(ChatRig):
    def __init__(self, **failure: object) -> None:
        self.failure = failure
        super().__init__(command("deploy", parameters=(text_parameter("app"),)), command("status", queue=None))

    def recorder(self) -> Recorder:
        self.failing = FailingStore(self.store, **self.failure)  # type: ignore[arg-type]  # as the test has it
        return WriterInline(self.failing, self.clock, self.hand)


def live(rig: FailingRig) -> None:
    rig.says("ann", "deploy shop")
    rig.says("bob", "deploy blog")
    rig.says("eve", "nonsense")
    rig.says("kim", "status")
    rig.says("kim", "deploy later in 5m")
    for _ in range(10):
        rig.passes(minutes=6)
        for number in rig.executor.running:
            rig.executor.end(number, value="value")


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("error", [StoreError, OSError])
def test_each_command_has_one_end_and_each_message_is_handed_over_once(
    times: int, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    for at in range(1, 40):
        rig = FailingRig(at=at, times=times, error=error)
        live(rig)

        story = f"commit {at} of {rig.failing.commits}"
        deliveries = rig.store.deliveries()
        assert rig.handed == [delivery.id for delivery in deliveries], story
        entries = [line.entry for line in rig.store.audit(since=None, limit=None) if line.entry is not None]
        assert Counter(entry.by for entry in entries) == Counter(
            {"slack:T1/ann": 1, "slack:T1/bob": 1, "slack:T1/eve": 1, "slack:T1/kim": 2}
        ), story
        assert max(Counter(number for number, _ in rig.verdicts).values()) == 1, story
        assert rig.store.open().asked == (), story
