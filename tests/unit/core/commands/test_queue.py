from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from slack_alert.core.commands.queue import (
    QueuedRun,
    QueueState,
    expected_starts,
    next_time,
    positions,
    startable,
)

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def run(
    number: int,
    queue: str | None = "default",
    lock: str = "",
    *,
    asked: int | None = None,
    later: int | None = None,
    started: int | None = None,
) -> QueuedRun:
    """Make a run; times are seconds after T."""
    return QueuedRun(
        number,
        "ops.deploy",
        f"deploy {number}",
        "slack:T1/U1",
        "ann",
        queue,
        lock,
        T + (number if asked is None else asked) * SECOND,
        None if later is None else T + later * SECOND,
        None if started is None else T + started * SECOND,
    )


NOW = T + MINUTE


def numbers(running: list[QueuedRun], waiting: list[QueuedRun], now: datetime = NOW, **limits: int) -> list[int]:
    return [each.run for each in startable(running, waiting, limits, now)]


def test_one_of_a_queue_runs_at_a_time() -> None:
    assert numbers([], [run(1), run(2)]) == [1]
    assert numbers([run(1, started=1)], [run(2), run(3)]) == []


def test_a_limit_of_two_lets_two_run() -> None:
    assert numbers([], [run(1), run(2), run(3)], default=2) == [1, 2]
    assert numbers([run(1, started=1)], [run(2), run(3)], default=2) == [2]


def test_nothing_starts_while_more_run_than_a_lowered_limit_allows() -> None:
    assert numbers([run(1, started=1), run(2, started=1)], [run(3)]) == []


def test_queues_do_not_wait_for_each_other() -> None:
    assert numbers([run(1, "a", started=1)], [run(2, "a"), run(3, "b"), run(4, "c")]) == [3, 4]


def test_a_lock_excludes_over_all_queues() -> None:
    assert numbers([run(1, "a", "prod", started=1)], [run(2, "b", "prod"), run(3, None, "prod")]) == []


def test_two_with_one_lock_never_start_together() -> None:
    assert numbers([], [run(1, "a", "prod"), run(2, "b", "prod"), run(3, None, "prod")]) == [1]


def test_a_head_that_waits_for_its_lock_is_not_overtaken() -> None:
    running = [run(1, "other", "prod", started=1)]
    assert numbers(running, [run(2, "default", "prod"), run(3), run(4, None)], default=5) == [4]


def test_a_lock_goes_to_who_asked_first() -> None:
    waiting = [run(7, "a", "prod", asked=3), run(8, "b", "prod", asked=2), run(9, None, "prod", asked=1)]
    assert numbers([], waiting) == [9]
    assert numbers([], waiting[:2]) == [8]


def test_who_asked_first_does_not_hold_a_lock_that_it_cannot_use() -> None:
    running = [run(1, "busy", started=1)]
    assert numbers(running, [run(2, "busy", "prod"), run(3, "free", "prod")]) == [3]


def test_without_a_queue_a_run_starts_at_once() -> None:
    assert numbers([run(1, started=1)], [run(2), run(3, None), run(4, None)]) == [3, 4]


def test_a_later_run_is_not_in_line_until_its_time() -> None:
    assert numbers([], [run(1, later=61)]) == []
    assert numbers([], [run(1, later=60)]) == [1]


def test_a_later_run_joins_behind_those_who_wait_at_that_moment() -> None:
    assert numbers([], [run(1, asked=0, later=30), run(2, asked=30)]) == [2]
    assert numbers([], [run(1, asked=0, later=30), run(2, asked=31)]) == [1]


def test_a_time_that_has_passed_already_changes_nothing() -> None:
    assert numbers([], [run(1, asked=5, later=-9), run(2, asked=4)]) == [2]


def test_a_clock_that_was_set_back_holds_up_nobody() -> None:
    assert numbers([], [run(1, asked=3600)]) == [1]


def test_places_are_told_by_queue_and_without_one_by_lock() -> None:
    waiting = [run(1), run(2, "b"), run(3), run(4, later=99), run(5, None, "prod"), run(6, "b", "prod"), run(7, None)]

    assert positions(waiting, NOW) == {1: 1, 2: 1, 3: 2, 5: 1, 6: 2, 7: 1}


def starts(
    running: list[QueuedRun], waiting: list[QueuedRun], usual: timedelta | None = MINUTE, **limits: int
) -> dict[int, int | None]:
    """Return the expected starts in seconds after NOW."""
    found = expected_starts(running, waiting, limits, lambda _: usual, NOW)
    return {number: None if at is None else int((at - NOW).total_seconds()) for number, at in found.items()}


def test_starts_follow_each_other_by_the_usual_time() -> None:
    assert starts([run(1, started=40)], [run(2), run(3), run(4)]) == {2: 40, 3: 100, 4: 160}
    assert starts([run(1, started=40)], [run(2), run(3), run(4)], default=2) == {2: 0, 3: 40, 4: 60}


def test_a_run_that_takes_longer_than_usual_is_expected_to_end_now() -> None:
    assert starts([run(1, started=-900)], [run(2), run(3)]) == {2: 0, 3: 60}


def test_no_start_is_told_behind_a_run_of_unknown_length() -> None:
    assert starts([run(1, started=40)], [run(2), run(3, "b")], None) == {2: None, 3: 0}


def test_a_later_run_is_expected_at_its_time_or_after_those_before_it() -> None:
    assert starts([], [run(1, later=90)]) == {1: 30}
    assert starts([run(1, started=60)], [run(2, later=90)]) == {2: 60}


@pytest.mark.parametrize("usual", [timedelta.max, timedelta(days=3_000_000)])
def test_no_start_is_told_beyond_the_calendar(usual: timedelta) -> None:
    assert starts([run(1, started=0)], [run(2), run(3)], usual) == {2: None, 3: None}


@pytest.mark.parametrize("usual", [timedelta(), -MINUTE])
def test_what_takes_no_time_starts_at_once(usual: timedelta) -> None:
    assert starts([run(1, started=0)], [run(2), run(3)], usual) == {2: 0, 3: 0}


def test_the_next_time_is_that_of_the_first_later_run() -> None:
    assert next_time([run(1), run(2, later=90), run(3, later=70), run(4, later=10)], NOW) == T + 70 * SECOND
    assert next_time([run(1)], NOW) is None


def test_a_run_is_waiting_then_running_then_gone() -> None:
    accepted = QueueState().add(run(2)).add(run(1))
    running = accepted.start(1, NOW)
    over = running.remove(1).remove(2)

    assert [each.run for each in accepted.waiting] == [1, 2]
    assert [(each.run, each.started) for each in running.running] == [(1, NOW)]
    assert running.find(2) == run(2)
    assert running.find(3) is None
    assert over == QueueState()


def test_what_ran_before_a_restart_is_added_as_running() -> None:
    assert QueueState().add(run(1, started=5)).running == (run(1, started=5),)
