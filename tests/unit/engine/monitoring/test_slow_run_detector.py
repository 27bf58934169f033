from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.message import DeliveryMode
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import QUIET, Result
from slack_alert.core.policy.incidents import Repeat, RepeatPolicy
from slack_alert.core.report.slow_runs import KNOWN, WINDOW
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.engine.monitoring.slow_runs import SlowRunDetector, durations_of
from slack_alert.stores.memory import MemoryStore
from tests.fakes.engine_rig import HOUR, MINUTE, Rig, at, failed, make_job, make_policy, said
from tests.fakes.reasons import reasons_of, why

SLOW = "took 9 s, usually 2 s"


def took(seconds: float, result: Result = QUIET) -> Result:
    return result._replace(duration=timedelta(seconds=seconds))


def made(
    *, usually: Iterable[float] = [2] * KNOWN, repeat_policy: RepeatPolicy | None = None, max_alert: int = 3
) -> Rig:
    policy = replace(make_policy(max_alert=max_alert), repeat_policy=repeat_policy or RepeatPolicy())
    return Rig(
        make_job(policy=policy),
        slow_runs=SlowRunDetector(lambda _: [timedelta(seconds=seconds) for seconds in usually]),
    )


def reason(rig: Rig) -> str | None:
    return why(rig.rows()[-1].reasons) or None


@pytest.mark.parametrize("result", [QUIET, said("late"), failed()])
def test_history_says_of_any_run_that_it_took_longer_than_usual(result: Result) -> None:
    rig = made()
    rig.play("16 09:10", took(9, result))

    assert reason(rig) == SLOW


@pytest.mark.parametrize("seconds", [2.4, 1, 0.1])
def test_a_run_as_long_as_usual_is_not_remarked(seconds: float) -> None:
    rig = made()
    rig.play("16 09:10", took(seconds, said("late")))

    assert (reason(rig), rig.texts) == (None, ["late"])


@pytest.mark.parametrize(("seconds", "remark"), [(62, None), (69, SLOW)])
def test_time_in_which_the_program_stood_still_is_not_the_run_s(seconds: float, remark: str | None) -> None:
    past = [timedelta(seconds=2)] * KNOWN
    rig = Rig(make_job(), slow_runs=SlowRunDetector(lambda _: past, stood_still=lambda _: MINUTE))
    rig.play("16 09:10", took(seconds))
    [row] = rig.rows()

    assert (row.duration, why(row.reasons) or None) == (timedelta(seconds=seconds) - MINUTE, remark)


def test_run_that_was_given_up_took_its_time() -> None:
    rig = Rig(make_job(), slow_runs=SlowRunDetector(stood_still=lambda _: timedelta(seconds=4)))
    failure = failed("took longer than 5s (timeout)").failure
    assert failure is not None
    rig.play("16 09:10", took(5, Result(failure=replace(failure, verdict=Verdict.TIMED_OUT))))

    assert rig.rows()[0].duration == timedelta(seconds=5)


def test_nothing_is_usual_before_some_runs_are_known() -> None:
    rig = made(usually=())
    for minute in range(KNOWN):
        rig.play(f"16 09:{minute + 10}", took(2))
    assert [row.reasons for row in rig.rows()] == [()] * KNOWN

    rig.play("16 09:30", took(9))
    assert reason(rig) == SLOW


def test_a_job_that_was_always_quick_is_remarked_when_it_is_slow_once() -> None:
    rig = made(usually=[0.01] * KNOWN)
    rig.play("16 09:10", took(30))

    assert reason(rig) == "took 30 s, usually 10 ms"


def test_quick_runs_after_a_slow_one_are_usual_still() -> None:
    rig = made(usually=[0.01] * WINDOW)
    rig.play("16 09:01", took(30))
    for minute in range(10, 30):
        rig.play(f"16 09:{minute}", took(0.02))
    rig.play("16 09:31", took(30))

    assert reason(rig) == "took 30 s, usually 20 ms"


def test_past_is_asked_for_once_and_never_for_a_quick_job() -> None:
    asked: list[str] = []
    rig = Rig(make_job(), make_job("db.size"), slow_runs=SlowRunDetector(lambda job: asked.append(job) or ()))  # type: ignore[func-returns-value]
    rig.play("16 09:10", took(0.5))
    rig.play("16 09:20", took(9), name="db.size")
    rig.play("16 09:30", took(9), name="db.size")

    assert asked == ["db.size"]


def test_alert_says_it_before_the_notice_of_the_pause() -> None:
    rig = made(max_alert=1)
    rig.play("16 09:10", took(9, said("late")))

    assert rig.texts == [f"late\n{SLOW}\n1 alert: paused for 60 min, until 10:10"]


def test_history_has_it_once() -> None:
    rig = made(max_alert=1)
    rig.play("16 09:10", took(9, said("late")))
    [row] = rig.rows()

    assert (row.text, why(row.reasons)) == ("late\n1 alert: paused for 60 min, until 10:10", SLOW)


def test_error_card_says_it() -> None:
    rig = made()
    rig.play("16 09:10", took(9, failed()))

    assert rig.texts[0].splitlines()[-1] == SLOW


def test_quiet_run_says_nothing_about_it() -> None:
    rig = made()
    rig.play("16 09:10", took(9))

    assert rig.texts == []


def test_it_makes_no_difference_to_what_was_said_already() -> None:
    rig = made(repeat_policy=RepeatPolicy(repeat=Repeat.CHANGE), max_alert=0)
    for minute, seconds in ((10, 2), (20, 9), (30, 2)):
        rig.play(f"16 09:{minute}", took(seconds, said("late")))

    assert rig.texts == ["late"]


def test_an_edit_stays_one_message() -> None:
    rig = made(repeat_policy=RepeatPolicy(repeat=Repeat.UPDATE))
    rig.play("16 09:10", took(2, said("late")))
    rig.play("16 09:20", took(9, said("later")))
    edit = rig.recorder.messages[-1]

    assert (edit.manner, len(rig.recorder.messages)) == (DeliveryMode.EDIT, 2)
    assert fallback(edit.piece).splitlines()[-1] == SLOW


def test_it_stands_beside_why_a_run_was_late() -> None:
    rig = made()
    rig.due("16 09:10")
    [run] = rig.executor.runs
    run.progress.remarks = reasons_of("late by 3 min")
    rig.executor.finish(took(9))

    assert reason(rig) == f"late by 3 min; {SLOW}"


def test_durations_are_read_from_the_last_runs_that_have_one() -> None:
    store = MemoryStore()
    slot = at("16 09:00")
    runs = [
        Record(number, "db.lag", slot + number * MINUTE, Verdict.QUIET, duration=timedelta(seconds=number))
        for number in range(1, WINDOW + 3)
    ]
    paused = Record(0, "db.lag", slot + HOUR, Verdict.PAUSED)
    store.commit(Batch(records=[*runs, paused]))

    assert durations_of(store, "db.lag") == [timedelta(seconds=number) for number in range(4, WINDOW + 3)]
    assert durations_of(store, "db.size") == []
