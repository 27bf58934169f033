"""Messages of a run that are held to its end, to be compared as a whole with those of the last run."""

from __future__ import annotations

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.content.render import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.run import QUIET, Result
from slack_alert.core.pipeline.messages import MOST
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import Rig, failed, make_job, make_policy, said, verdicts

DBA = Address("slack", "#dba")


def speaking(repeat: Repeat) -> Job:
    return make_job(policy=replace(make_policy(max_alert=0, mutes=True), repeat_policy=RepeatPolicy(repeat=repeat)))


def play(rig: Rig, time: str, *texts: str, result: Result = QUIET, to: Address | None = None) -> None:
    """Run a job that posts these on its way, and ends with this result."""
    rig.due(time)
    for text in texts:
        rig.engine.say(rig.executor.runs[0], (Text(text),), to)
    rig.executor.finish(result)


def test_a_run_that_says_the_same_again_in_several_messages_is_quiet() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    play(rig, "16 09:10", "a", "b")
    play(rig, "16 09:20", "a", "b")
    play(rig, "16 09:30", "a", "c")
    play(rig, "16 09:40", "a")

    assert rig.texts == ["a", "b", "a", "c", "a"]
    assert verdicts(rig.rows()) == [("said", 1), ("muted", 1), ("said", 1), ("said", 1)]


def test_what_it_says_and_what_it_returns_is_one_alert() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    for time in ("16 09:10", "16 09:20"):
        play(rig, time, "a", result=said("b"))

    assert rig.texts == ["a", "b"]


def test_under_update_all_of_it_is_one_message() -> None:
    rig = Rig(speaking(Repeat.UPDATE))
    play(rig, "16 09:10", "a", "b")
    play(rig, "16 09:20", "a", "b")

    assert rig.texts == ["a\nb", "a\nb\n2 alerts since 09:10, last 09:20"]


def test_what_it_says_elsewhere_is_said_there_when_anything_differs() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    for time in ("16 09:10", "16 09:20"):
        play(rig, time, "a", result=said("b"), to=DBA)

    assert [(message.to.shown, text) for message, text in zip(rig.recorder.messages, rig.texts, strict=True)] == [
        ("#ops", "b"),
        ("#dba", "a"),
    ]


def test_history_has_what_was_said_elsewhere_and_what_was_withheld_of_it() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    for time in ("16 09:10", "16 09:20"):
        play(rig, time, "a", result=said("b"), to=DBA)

    assert [row.text for row in rig.rows()] == ["b\na", "b\na"]


def test_a_job_that_speaks_only_elsewhere_is_quiet_when_it_repeats_itself() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    for time in ("16 09:10", "16 09:20"):
        play(rig, time, "a", to=DBA)

    assert [message.to for message in rig.recorder.messages] == [DBA]


def test_what_it_said_before_it_failed_is_told() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    play(rig, "16 09:10", "a", result=failed())

    assert [text.splitlines()[0] for text in rig.texts] == [
        "a",
        ":rotating_light: *db.lag* failed: OSError: no route",
    ]


def test_what_it_said_before_the_end_of_the_program_is_told() -> None:
    rig = Rig(speaking(Repeat.CHANGE))
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("a"),))
    rig.engine.interrupt_runs()

    assert rig.texts == ["a"]
    assert [(row.verdict.value, row.text) for row in rig.rows()] == [("interrupted", "a")]


@pytest.mark.parametrize("repeat", [Repeat.CHANGE, Repeat.THREAD])
def test_no_run_says_more_than_it_may(repeat: Repeat) -> None:
    rig = Rig(speaking(repeat))
    play(rig, "16 09:10", *map(str, range(MOST + 10)))

    (row,) = rig.rows()
    assert (len(rig.texts), rig.texts[-1]) == (MOST + 1, "… and more of this run is withheld")
    assert row.text.endswith("… 10 more messages of this run were withheld")
