"""What happens between a change and its commit: the writer takes a moment, and more comes meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, cast

from slack_alert.core.model.message import DeliveryMode
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Recorder
from slack_alert.engine.recording.writer import join
from tests.fakes.chat_rig import ChatRig, command


class LateRecorder:
    """Commits when the test says so."""

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder
        self._waiting: deque[tuple[Batch, Callable[[], object] | None]] = deque()

    def submit(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        self._waiting.append((batch, then))

    def commit_next(self) -> None:
        self._recorder.submit(*self._waiting.popleft())

    def commit_all(self) -> None:
        while self._waiting:
            self.commit_next()

    @property
    def waiting(self) -> Batch:
        """What waits as one batch, as the writer commits it."""
        together = Batch()
        for batch, _ in self._waiting:
            join(together, batch)
        return together


def test_what_somebody_asks_who_is_known_begins_with_the_commit_that_keeps_it() -> None:
    rig = ChatRig(command("deploy"))
    late = LateRecorder(rig.runner._recorder)
    rig.runner._recorder = rig.engine._recorder = cast("Recorder", late)
    rig.says("ann", "deploy")
    late.commit_next()

    assert {asked.id for asked in late.waiting.asked} == {1}
    assert [started.run for started in late.waiting.begun] == [1]
    assert rig.executor.begun == []
    late.commit_all()
    assert rig.executor.running == [1]


def test_what_is_canceled_while_the_run_before_it_ends_never_begins() -> None:
    rig = ChatRig(command("deploy"))
    for who in ("ann", "bob", "cat"):
        rig.says(who, "deploy")
    late = LateRecorder(rig.runner._recorder)
    rig.runner._recorder = cast("Recorder", late)
    rig.executor.end(1)
    rig.runner.cancel(2, "bob")
    late.commit_all()

    assert [run.id for run in rig.executor.begun] == [1, 3]
    assert rig.verdicts == [(1, "quiet"), (2, "canceled")]


def test_what_a_run_that_never_waited_tells_on_its_way_is_one_message() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    for fraction in (0.1, 0.5, 0.9):
        rig.executor.begun[0].progress.fraction = fraction
        rig.passes(seconds=5)
    rig.executor.end(1)

    manners = [delivery.message.manner for delivery in rig.store.deliveries()]
    assert manners == [DeliveryMode.POST, *[DeliveryMode.EDIT] * 3]
    assert rig.answers == ["1: done in 3 s"]
