"""What `explain E-412` tells of a run that a person asked for."""

from __future__ import annotations

from datetime import timezone

import pytest

from slack_alert.core.commands.signature import Parameter
from slack_alert.core.errors import BadValue
from slack_alert.operations.explain_run import find_run, run_number, told_run
from tests.fakes.chat_rig import ChatRig, command


def told(rig: ChatRig, number: int) -> list[str]:
    return told_run(find_run(number, rig.store), zone=timezone.utc, now=rig.clock.now())


@pytest.mark.parametrize(
    ("text", "number"),
    [("E-412", 412), ("e-7", 7), (" E-1 ", 1), ("E-", None), ("412", None), ("E-1x", None), ("db.E-1", None)],
)
def test_a_number_of_a_run_is_told_from_a_job(text: str, number: int | None) -> None:
    assert run_number(text) == number


def test_a_run_that_failed_is_told_with_who_asked_and_its_record() -> None:
    rig = ChatRig(command("deploy", parameters=(Parameter("app"),)))
    rig.says("ann", "deploy shop")
    rig.passes(seconds=72)
    rig.executor.end(1, error="no space left", seconds=72)

    assert told(rig, 1) == [
        "ann (slack:T1/ann) asked for `deploy shop` in C0OPS, 09:00:00 (slack.socket).",
        "E-1 failed, 09:01:12 after 1 m 12 s: RuntimeError.",
        "Its message 2 to C0OPS is queued.",
    ]
    record = find_run(1, rig.store).record
    assert record is not None
    assert record.error == "Traceback: no space left"


def test_a_run_is_found_among_many_after_a_long_time() -> None:
    rig = ChatRig(command("deploy"))
    for number in range(1, 6):
        rig.says("ann", "deploy")
        rig.executor.end(number, value=f"value {number}")
        rig.passes(hours=100)

    record = find_run(2, rig.store).record
    assert record is not None
    assert record.text == "value 2"


def test_what_runs_and_what_waits_says_so() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("bob", "deploy")

    assert told(rig, 1)[:2] == [
        "ann asked for `deploy` in C0OPS, 09:00:00 (slack.socket).",
        "E-1 is running: see `slack-alert queue`.",
    ]
    assert told(rig, 2)[1] == "E-2 waits: see `slack-alert queue`."


def test_a_number_that_nobody_asked_for_is_an_error() -> None:
    rig = ChatRig(command("deploy"))

    with pytest.raises(BadValue, match="Nobody asked for a run with the number E-9") as raised:
        find_run(9, rig.store)
    assert raised.value.hint == "`slack-alert audit` lists them."


def test_a_run_that_was_canceled_before_it_began_has_no_record_of_what_it_did() -> None:
    rig = ChatRig(command("deploy"))
    rig.says("ann", "deploy")
    rig.says("ann", "deploy")
    rig.runner.cancel(2, "bob")

    assert told(rig, 2)[1].startswith("E-2 canceled, 09:00:00: bob.")
