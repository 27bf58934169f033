"""What was canceled while the program was down, or before it knew again who asked."""

from __future__ import annotations

from collections.abc import Coroutine

import pytest

from slack_alert.core.model.request import CancelRun, Request
from slack_alert.core.structs import replace
from tests.fakes import chat_rig
from tests.fakes.chat_rig import ChatRig, Directly, command


class Held(Directly):
    """Runs coroutines when the test says so: a chat service takes its time to say who somebody is."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Coroutine[object, object, object]] = []

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        self.held.append(coroutine)

    def release(self) -> None:
        held, self.held = self.held, []
        for coroutine in held:
            super().begin(coroutine)


def canceled(rig: ChatRig, number: int) -> None:
    """Apply the request that `slack-alert cancel` has left."""
    rig.engine.apply(replace(Request.of(CancelRun(number, "bob"), rig.clock.now()), id=1))


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> ChatRig:
    """A program that was killed while one command ran and another waited, and does not know yet who asked."""
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("ann", "deploy")
    monkeypatch.setattr(chat_rig, "Directly", Held)
    rig.start()
    return rig


def test_what_was_canceled_before_it_waits_again_never_runs(rig: ChatRig) -> None:
    canceled(rig, 2)
    assert isinstance(rig.beside, Held)
    rig.beside.release()

    assert rig.executor.begun == []
    assert (2, "canceled") in rig.verdicts
    [shown] = [text for text in rig.answers if text.startswith("2: ")]
    assert shown == "2: canceled by bob before it started"
    assert rig.runner.open == []


def test_what_was_not_canceled_runs_after_the_start(rig: ChatRig) -> None:
    canceled(rig, 1)
    assert isinstance(rig.beside, Held)
    rig.beside.release()

    assert [run.id for run in rig.executor.begun] == [2]
    rig.executor.end(2, value="shop is on prod")

    assert rig.verdicts == [(1, "interrupted"), (2, "said")]
    assert [text for text in rig.answers if text.startswith("2: ")] == ["2: done in 3 s\nshop is on prod"]
