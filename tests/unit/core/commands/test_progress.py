from __future__ import annotations

from datetime import datetime, timedelta, timezone

from slack_alert.core.commands.progress import EditBudget

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)


def after(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


def test_a_single_run_is_edited_every_two_seconds() -> None:
    budget = EditBudget()

    assert [second for second in range(7) if budget.due(after(second), [1])] == [0, 2, 4, 6]


def test_what_changes_meanwhile_is_told_when_its_time_comes() -> None:
    budget = EditBudget()
    budget.due(T, [1])
    budget.due(after(0.5), [1])

    assert budget.next_due(after(0.5)) == after(2)
    assert budget.due(after(1.9)) == []
    assert budget.due(after(2)) == [1]
    assert budget.next_due(after(2)) is None


def test_more_runs_are_edited_less_often() -> None:
    budget = EditBudget()
    budget.due(T, range(10))

    assert budget.due(after(14), range(10)) == []
    assert budget.due(after(15), range(10)) == list(range(10))


def test_runs_that_are_silent_slow_down_nobody() -> None:
    budget = EditBudget()
    budget.due(T, range(100))

    assert budget.due(after(61), [1]) == [1]
    assert budget.due(after(63), [1]) == [1]


def test_first_and_last_edits_go_beyond_the_budget_and_spend_it() -> None:
    budget = EditBudget()
    everyone = list(range(100))

    assert budget.due(T, everyone) == everyone
    for run in everyone[50:]:
        budget.end(run, after(30))
    assert budget.due(after(60), everyone[:50]) == []
    # Both the budget of the last minute and the pause of each run are over.
    assert budget.next_due(after(60)) == after(90)
    assert budget.due(after(90)) == everyone[:40]


def test_a_run_that_has_ended_is_not_edited_again() -> None:
    budget = EditBudget()
    budget.due(T, [1])

    budget.due(after(1), [1])
    budget.end(1, after(1))

    assert budget.next_due(after(1)) is None
    assert budget.due(after(9)) == []


def test_the_end_of_one_edits_no_other() -> None:
    budget = EditBudget()
    budget.due(T, [1])
    budget.due(after(1), [1])
    budget.end(2, after(5))

    assert budget.due(after(5)) == [1]


def test_a_clock_that_is_set_back_makes_no_run_wait_for_the_old_time() -> None:
    budget = EditBudget()
    budget.due(T, [1])
    budget.due(after(100))
    budget.due(after(-3600), [1])

    assert budget.due(after(-3598)) == [1]
