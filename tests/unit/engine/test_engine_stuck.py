"""Runs that were given up while their function continues."""

from __future__ import annotations

from slack_alert.core.events import Emitted
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.structs import replace
from tests.fakes.engine_rig import Rig, at, failed, make_job, make_rule, said, verdicts
from tests.fakes.reasons import why


def give_up(rig: Rig) -> Run:
    """Do to the oldest run what an executor does at its timeout."""
    [run] = rig.executor.runs
    run.progress.started = run.slot
    run.progress.is_stuck = run.progress.is_canceled = True
    failure = failed("took longer than 5s (timeout)").failure
    assert failure is not None
    rig.executor.finish(Result(failure=replace(failure, verdict=Verdict.TIMED_OUT)))
    return run


def come_back(run: Run) -> None:
    run.progress.is_stuck = False
    assert run.progress.released is not None
    run.progress.released()


def test_a_run_that_was_given_up_is_told_and_recorded_as_timed_out() -> None:
    rig = Rig()
    rig.due("16 09:10")
    give_up(rig)

    assert verdicts(rig.rows()) == [("timed_out", 1)]
    assert len(rig.texts) == 1
    assert "took longer than 5s (timeout)" in rig.texts[0]


def test_while_its_function_goes_on_further_slots_are_overlapped_and_nobody_is_told_again() -> None:
    rig = Rig()
    rig.due("16 09:10")
    give_up(rig)
    for minute in (20, 30, 40, 50):
        rig.due(f"16 09:{minute}")

    assert verdicts(rig.rows())[1:] == [("overlapped", 4)]
    assert len(rig.texts) == 1


def test_a_slot_that_such_a_function_keeps_from_running_says_that_its_run_is_over() -> None:
    rig = Rig()
    rig.due("16 09:10")
    give_up(rig)
    rig.due("16 09:20")

    assert why(rig.rows()[1].reasons) == "the run of 09:10 was given up, and its function had not returned"


def test_it_runs_again_once_its_function_has_returned() -> None:
    rig = Rig()
    rig.due("16 09:10")
    come_back(give_up(rig))
    rig.play("16 09:20", said("up"))

    assert verdicts(rig.rows()) == [("timed_out", 1), ("said", 1)]


def test_a_second_word_of_the_return_does_not_end_the_run_that_followed() -> None:
    rig = Rig()
    rig.due("16 09:10")
    run = give_up(rig)
    come_back(run)
    rig.due("16 09:20")
    come_back(run)
    rig.due("16 09:30")

    assert verdicts(rig.rows()) == [("timed_out", 1), ("overlapped", 1)]


def test_where_stuck_functions_leave_no_thread_they_are_named() -> None:
    rig = Rig(make_job("db.hung"), make_job("db.lag"))
    rig.due("16 09:10", name="db.hung")
    give_up(rig)
    for minute in (20, 30, 40, 50):
        rig.due(f"16 09:{minute}")

    assert rig.texts[1].startswith(
        "1 thread is stuck in what was given up (db.hung); other jobs wait, db.lag among them."
    )


def test_what_it_says_afterwards_is_nobody_s() -> None:
    rig = Rig()
    rig.due("16 09:10")
    run = give_up(rig)
    rig.engine.say(run, said("late").pieces)

    assert len(rig.texts) == 1


def test_the_end_of_the_program_does_not_wait_for_it() -> None:
    rig = Rig()
    rig.due("16 09:10")
    give_up(rig)

    assert (rig.engine.runs(), rig.engine.interrupt_runs()) == ([], 0)


def test_events_wait_until_its_function_has_returned() -> None:
    rig = Rig(make_rule())
    for minute in (1, 2):
        rig.engine.handle(Emitted("disk.full", at(f"16 09:0{minute}"), {}))
    run = give_up(rig)

    assert rig.executor.runs == []
    come_back(run)
    assert len(rig.executor.runs) == 1
