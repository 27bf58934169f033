"""What was accepted is not lost because a service does not tell who asked for it."""

from __future__ import annotations

from slack_alert.core.model.asked import AccountStatus
from tests.fakes.chat_rig import ChatRig, command


def test_a_run_that_waited_over_a_restart_waits_for_the_service_too() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("bob", "deploy")
    rig.people.standings["bob"] = AccountStatus.UNKNOWN
    rig.start()

    assert [asked.by.user for asked in rig.store.snapshot().asked] == ["bob"]
    assert rig.executor.running == []

    rig.people.standings.clear()
    rig.passes(seconds=11)

    assert rig.executor.running == [2]


def test_what_is_asked_anew_is_refused_and_says_so() -> None:
    rig = ChatRig(command("deploy"))
    rig.people.standings["bob"] = AccountStatus.UNKNOWN
    rig.says("bob", "deploy")

    assert rig.executor.running == []
    assert rig.answers[0].startswith("1: denied:")
    assert rig.store.snapshot().asked == ()
