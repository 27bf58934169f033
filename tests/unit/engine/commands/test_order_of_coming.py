"""Commands of a conversation are decided in the order in which they came, whoever is known sooner."""

from __future__ import annotations

from collections.abc import Coroutine

import pytest

from tests.fakes.chat_rig import ChatRig, command


class Slowly:
    """Lets coroutines go on in the order that a test chooses."""

    def __init__(self) -> None:
        self.waiting: list[Coroutine[object, object, object]] = []
        self.alarm: object = None

    def begin(self, coroutine: Coroutine[object, object, object]) -> None:
        self.waiting.append(coroutine)

    def go_on(self, number: int) -> None:
        with pytest.raises(StopIteration):
            self.waiting[number].send(None)


def test_who_is_known_sooner_does_not_overtake() -> None:
    rig = ChatRig(command("deploy"))
    rig.people.is_forgetful = True
    slowly = Slowly()
    rig.runner._beside = slowly  # type: ignore[assignment]  # it is asked for no alarm
    for who in ("ann", "bob", "eve"):
        rig.says(who, "deploy")
    for number in (1, 2):
        slowly.go_on(number)
    before = list(rig.executor.running)
    slowly.go_on(0)

    assert before == []
    assert [run.by.name for run in rig.executor.begun if run.by] == ["ann"]
    assert [one.by for one in rig.runner.queue.waiting] == ["slack:T1/bob", "slack:T1/eve"]
