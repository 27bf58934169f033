"""Laws of the queue of commands, against a model that knows no queues: it tries every run, again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slack_alert.core.commands.queue import (
    QueuedRun,
    QueueState,
    expected_starts,
    next_time,
    positions,
    startable,
)
from slack_alert.core.structs import replace

pytestmark = pytest.mark.slow

T = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
COMMANDS = ("deploy", "restart", "unseen")
limits = st.dictionaries(st.sampled_from(("default", "deploy")), st.integers(1, 3))
lengths = st.fixed_dictionaries({"deploy": st.integers(0, 9), "restart": st.integers(1, 4)})


@st.composite
def asked_runs(draw: st.DrawFn, most: int = 14) -> list[QueuedRun]:
    """Draw runs in any order, of which several may be asked for at the same instant, and for later."""
    return [
        QueuedRun(
            number,
            draw(st.sampled_from(COMMANDS)),
            "words",
            "slack:T1/U1",
            "ann",
            draw(st.sampled_from(("default", "deploy", None))),
            draw(st.sampled_from(("", "", "prod", "staging"))),
            T + draw(st.integers(0, 12)) * SECOND,
            draw(st.none() | st.integers(-3, 25).map(lambda seconds: T + seconds * SECOND)),
        )
        for number in draw(st.permutations(range(1, draw(st.integers(1, most)) + 1)))
    ]


def joined(run: QueuedRun) -> tuple[datetime, int, int]:
    """Return when a run joined its queue, those asked for later last."""
    if run.not_before is None or run.not_before <= run.asked:
        return (run.asked, 0, run.run)
    return (run.not_before, 1, run.run)


def may_start(
    run: QueuedRun, running: Sequence[QueuedRun], waiting: Sequence[QueuedRun], limit: Mapping[str, int]
) -> bool:
    if run.lock and any(other.lock == run.lock for other in running):
        return False
    if run.queue is None:
        return True
    is_first = not any(other.queue == run.queue and joined(other) < joined(run) for other in waiting)
    return is_first and sum(other.queue == run.queue for other in running) < limit.get(run.queue, 1)


def model(
    running: Sequence[QueuedRun], waiting: Sequence[QueuedRun], limit: Mapping[str, int], now: datetime
) -> list[QueuedRun]:
    """Start the first run that may, until none may."""
    taken, left = list(running), [run for run in waiting if run.not_before is None or run.not_before <= now]
    started: list[QueuedRun] = []
    while found := next((run for run in sorted(left, key=joined) if may_start(run, taken, left, limit)), None):
        left.remove(found)
        taken.append(found)
        started.append(found)
    return started


def lived(runs: list[QueuedRun], limit: Mapping[str, int], lasts: Mapping[str, int]) -> dict[int, datetime]:
    """Live through the runs second by second; return when each started."""
    state, starts = QueueState(), {}
    for second in range(400):
        now = T + second * SECOND
        for run in runs:
            state = state.add(run) if run.asked == now else state
        while True:
            state = without_ended(state, lasts, now)
            begun = startable(state.running, state.waiting, limit, now)
            assert begun == model(state.running, state.waiting, limit, now)
            if not begun:
                break
            for run in begun:
                state = state.start(run.run, now)
                starts[run.run] = now
            check_taken(state, limit)
    assert state == QueueState()
    return starts


def without_ended(state: QueueState, lasts: Mapping[str, int], now: datetime) -> QueueState:
    for run in state.running:
        assert run.started is not None
        if run.started + lasts.get(run.command, 5) * SECOND <= now:
            state = state.remove(run.run)
    return state


def check_taken(state: QueueState, limit: Mapping[str, int]) -> None:
    locks = Counter(run.lock for run in state.running if run.lock)
    queues = Counter(run.queue for run in state.running if run.queue is not None)
    assert all(count == 1 for count in locks.values())
    assert all(count <= limit.get(queue, 1) for queue, count in queues.items())


@given(asked_runs(), limits, lengths)
def test_every_run_runs_and_none_overtakes_in_its_queue(
    runs: list[QueuedRun], limit: Mapping[str, int], lasts: Mapping[str, int]
) -> None:
    starts = lived(runs, limit, lasts)

    assert starts.keys() == {run.run for run in runs}
    for queue in ("default", "deploy"):
        line = sorted((run for run in runs if run.queue == queue), key=joined)
        assert [starts[run.run] for run in line] == sorted(starts[run.run] for run in line)
    for run in runs:
        assert starts[run.run] >= max(run.asked, run.not_before or run.asked)


@given(asked_runs(), limits, st.sets(st.integers(1, 14)), st.integers(0, 30))
def test_what_can_start_starts_and_in_any_order_of_the_rows(
    runs: list[QueuedRun], limit: Mapping[str, int], began: set[int], seconds: int
) -> None:
    now = T + seconds * SECOND
    waiting = [run for run in runs if run.run not in began]
    # What runs already may be anything: limits change with the configuration.
    running = [replace(run, started=T) for run in runs if run.run in began]

    found = startable(running, waiting, limit, now)

    assert found == model(running, waiting, limit, now)
    assert found == startable(running[::-1], waiting[::-1], limit, now)
    left = [run for run in waiting if run not in found and run.is_in_line(now)]
    assert not any(may_start(run, [*running, *found], left, limit) for run in left)


@given(asked_runs(), limits, lengths)
def test_expected_starts_are_those_that_come_where_runs_take_their_usual_time(
    runs: list[QueuedRun], limit: Mapping[str, int], lasts: Mapping[str, int]
) -> None:
    runs = [replace(run, asked=T) for run in runs]
    usual = {command: lasts.get(command, 5) * SECOND for command in COMMANDS}

    expected = expected_starts([], runs, limit, usual.get, T)

    assert expected == lived(runs, limit, lasts)


@given(asked_runs(), limits, lengths, st.integers(0, 30))
def test_expected_starts_are_never_in_the_past_nor_guessed(
    runs: list[QueuedRun], limit: Mapping[str, int], lasts: Mapping[str, int], seconds: int
) -> None:
    now = T + seconds * SECOND
    begun = startable([], runs, limit, T)
    state = QueueState()
    for run in runs:
        state = state.add(run)
    for run in begun:
        state = state.start(run.run, T)

    expected = expected_starts(
        state.running,
        state.waiting,
        limit,
        lambda command: lasts[command] * SECOND if command in lasts else None,
        now,
    )

    assert expected.keys() == {run.run for run in state.waiting}
    assert all(at is None or at >= now for at in expected.values())
    at_once = {run.run for run in startable(state.running, state.waiting, limit, now)}
    assert all(expected[run] == now for run in at_once)
    held = {run.lock for run in state.running if run.command == "unseen" and run.lock}
    assert all(expected[run.run] is None for run in state.waiting if run.lock in held)


@given(asked_runs(), st.integers(0, 30))
def test_places_in_line_count_from_one_without_a_gap(runs: list[QueuedRun], seconds: int) -> None:
    now = T + seconds * SECOND

    places = positions(runs, now)

    in_line = [run for run in runs if run.not_before is None or run.not_before <= now]
    assert places.keys() == {run.run for run in in_line}
    for queue in ("default", "deploy"):
        line = sorted((run for run in in_line if run.queue == queue), key=joined)
        assert [places[run.run] for run in line] == list(range(1, len(line) + 1))


@given(asked_runs(), st.integers(0, 30))
def test_nobody_is_woken_for_nothing_nor_too_late(runs: list[QueuedRun], seconds: int) -> None:
    now = T + seconds * SECOND

    found = next_time(runs, now)

    ahead = [run.not_before for run in runs if run.not_before is not None and run.not_before > now]
    assert found == (min(ahead) if ahead else None)
