"""The history of a run has what its function itself said and how it failed, beside what was posted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slack_alert.core.content.render import Text
from slack_alert.core.model.record import Outcome, Verdict
from slack_alert.core.model.run import QUIET, Failure, Result
from slack_alert.core.policy.incidents import DEFAULT_REPEAT_POLICY, Repeat, RepeatPolicy
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import Rig, failed, make_job, make_policy, said

LATE = said("late")


def rig_of(repeat_policy: RepeatPolicy = DEFAULT_REPEAT_POLICY, *, max_alert: int = 0) -> Rig:
    return Rig(make_job(policy=replace(make_policy(max_alert=max_alert, mutes=True), repeat_policy=repeat_policy)))


def played(rig: Rig, *results: Result) -> list[tuple[str, Outcome | None]]:
    for minute, result in enumerate(results):
        rig.play(f"16 09:{minute + 1:02}", result)
    return [(row.text, row.outcome) for row in rig.rows()]


def test_of_a_run_that_was_posted_as_it_was_said_there_is_nothing_more() -> None:
    assert played(rig_of(), LATE, QUIET) == [("late", None), ("", None)]


def test_the_notice_of_a_pause_is_not_the_function_s() -> None:
    (row,) = played(rig_of(max_alert=1), LATE)

    assert row == ("late\n1 alert: muted for 60 min, until 10:01", Outcome("late"))


def test_what_an_edit_adds_is_not_the_function_s() -> None:
    _, row = played(rig_of(RepeatPolicy(repeat=Repeat.UPDATE)), LATE, LATE)

    assert row == ("late\n2 alerts since 09:01, last 09:02", Outcome("late"))


def test_a_reply_with_the_changes_is_of_a_function_that_said_it_all() -> None:
    one, two = (("db0", "db0"),), (("db0", "db0"), ("db1", "db1"))
    lists = [Result((Text("db0", one),)), Result((Text("db0\ndb1", two),))]
    _, row = played(rig_of(RepeatPolicy(repeat=Repeat.THREAD)), *lists)

    assert row == ("+ db1", Outcome("db0\ndb1"))


def test_a_recovery_is_no_alert() -> None:
    *_, row = played(rig_of(RepeatPolicy(recovers=True)), LATE, QUIET)

    assert (row[0].partition(" after ")[0], row[1]) == ("✓ db.lag recovered", Outcome())


@pytest.mark.parametrize("max_alert", [0, 1])
def test_a_failure_is_kept_with_its_kind_and_message_also_where_it_is_muted(max_alert: int) -> None:
    *_, row = played(rig_of(max_alert=max_alert), failed("no route"), failed("no route"))

    assert row[1] == Outcome("", Verdict.ERROR, "OSError", "no route")


def test_that_a_run_took_too_long_is_known_also_where_it_is_muted() -> None:
    late = Result(failure=Failure("TimeoutError", "took longer than 5s", "", "", Verdict.TIMED_OUT))
    *_, row = played(rig_of(max_alert=1), late, late)

    assert row[1] == Outcome("", Verdict.TIMED_OUT, "TimeoutError", "took longer than 5s")


def test_what_was_said_before_a_failure_is_the_function_s() -> None:
    rig = rig_of(max_alert=1)
    rig.due("16 09:10")
    rig.engine.say(rig.executor.runs[0], (Text("first"),))
    rig.executor.finish(failed("no route")._replace(duration=timedelta(seconds=1)))
    (row,) = rig.rows()

    assert row.text.splitlines()[:2] == ["first", "1 alert: muted for 60 min, until 10:10"]
    assert row.outcome == Outcome("first", Verdict.ERROR, "OSError", "no route")
